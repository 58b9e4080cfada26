"""A small package index (PEP 503, 691, 700) on loopback: package_index.py LOG

Reads one JSON list from the first line of its standard input, of releases {"name", "version", "requires",
"requires_python", "uploaded", "tampered", "keywords", "modules"}; each becomes a wheel with one module that has the
version in `VERSION`, or with the `modules` that are given as {path: text}. Of one that is tampered with, the bytes are
not those of its hash. Prints its port, and ends when its input does. Appends a line to LOG for every request:
"/simple/x/ login=user:password".

The first part of the address of an index is how it behaves, up to a '-' in it:

    simple     JSON with upload times
    html       HTML, which has none
    dateless   JSON without upload times
    auth       as simple, for the login user:s3cret only, files too
    error      status 500
    flaky      status 500 to the first two requests of each page
    stall      takes the request and never answers
    moved      redirects to simple

While there is a file LOG.manner the whole index behaves as the word in it says:

    error   status 500
    stall   sends half of what was asked for, and nothing more
    cut     ends the connection there
    lie     sends wheels with other bytes than their hashes say
"""

import base64
import hashlib
import html
import http.server
import io
import json
import pathlib
import re
import select
import sys
import threading
import time
import zipfile

JSON = "application/vnd.pypi.simple.v1+json"
LOGIN = "user:s3cret"


def normalised(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def wheel_of(release):
    module = release["name"].replace("-", "_")
    info = f"{module}-{release['version']}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {release['name']}", f"Version: {release['version']}"]
    metadata += [f"Requires-Dist: {requirement}" for requirement in release.get("requires", [])]
    if release.get("requires_python"):
        metadata.append(f"Requires-Python: {release['requires_python']}")
    if release.get("keywords"):
        metadata.append(f"Keywords: {release['keywords']}")
    files = {
        **release.get("modules", {f"{module}.py": f"VERSION = {release['version']!r}\n"}),
        f"{info}/METADATA": "\n".join(metadata) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as wheel:
        for path, text in files.items():
            wheel.writestr(zipfile.ZipInfo(path), text)
    return f"{module}-{release['version']}-py3-none-any.whl", buffer.getvalue()


class Index(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files, pages, log, asked = {}, {}, None, {}
    lock = threading.Lock()

    def manner(self):
        try:
            return pathlib.Path(self.log + ".manner").read_text().strip()
        except FileNotFoundError:
            return None

    def do_GET(self):
        if self.manner() == "error":
            return self.answer("text/plain", b"broken", 500)
        login = self.login()
        with self.lock, open(self.log, "a") as log:
            log.write(f"{self.path} login={login}\n")
        parts = self.path.strip("/").split("/")
        manner, name = parts[0].partition("-")[0], (parts + [""])[1]
        if manner == "auth" and login != LOGIN:
            return self.answer("text/plain", b"who are you?", 401)
        if manner == "error" or (manner == "flaky" and len(parts) == 2 and self.count() <= 2):
            return self.answer("text/plain", b"broken", 500)
        if manner == "stall":
            return time.sleep(600)
        if len(parts) == 3 and name == "files" and parts[2] in self.files:
            return self.answer("application/octet-stream", self.files[parts[2]])
        if len(parts) != 2 or name not in self.pages:
            return self.answer("text/plain", b"not here", 404)
        if manner == "moved":
            return self.answer("text/plain", b"elsewhere", 302, {"Location": f"/simple/{name}/"})
        self.send_page(manner, name)

    do_HEAD = do_GET

    def count(self):
        with self.lock:
            self.asked[self.path] = self.asked.get(self.path, 0) + 1
            return self.asked[self.path]

    def login(self):
        scheme, _, value = (self.headers.get("Authorization") or "").partition(" ")
        return base64.b64decode(value).decode() if scheme == "Basic" else ""

    def send_page(self, manner, name):
        entries = [dict(entry) for entry in self.pages[name]]
        if manner == "html":
            return self.answer("text/html", "".join(map(self.anchor, entries)).encode())
        if manner == "dateless":
            for entry in entries:
                del entry["upload-time"]
        page = {"meta": {"api-version": "1.1"}, "name": name, "files": entries}
        page["versions"] = sorted({entry["filename"].split("-")[1] for entry in entries})
        self.answer(JSON, json.dumps(page).encode())

    @staticmethod
    def anchor(entry):
        attribute = ""
        if "requires-python" in entry:
            attribute = f' data-requires-python="{html.escape(entry["requires-python"])}"'
        return f'<a href="{entry["url"]}#sha256={entry["hashes"]["sha256"]}"{attribute}>{entry["filename"]}</a><br>\n'

    def answer(self, kind, body, status=200, headers={}):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="tests"')
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.send_body(body)

    def send_body(self, body):
        manner = self.manner()
        if manner == "lie" and "/files/" in self.path:
            body = body[:-1] + bytes([body[-1] ^ 0xFF])
        self.wfile.write(body[: len(body) // 2] if manner in ("stall", "cut") else body)
        self.wfile.flush()
        if manner == "stall":
            select.select([self.connection], [], [])  # until the client has closed its end
        self.close_connection = self.close_connection or manner in ("stall", "cut")

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # clients that go away are part of the tests


def main():
    Index.log = sys.argv[1]
    for release in json.loads(sys.stdin.readline()):
        name, content = wheel_of(release)
        entry = {
            "filename": name,
            "url": f"../files/{name}",
            "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
            "upload-time": release["uploaded"],
            "size": len(content),
        }
        if release.get("requires_python"):
            entry["requires-python"] = release["requires_python"]
        Index.pages.setdefault(normalised(release["name"]), []).append(entry)
        if release.get("tampered"):
            # A good wheel, but another one.
            content = wheel_of({**release, "modules": {f"{release['name']}.py": "print('somebody else')\n"}})[1]
        Index.files[name] = content
    server = Server(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
