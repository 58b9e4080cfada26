"""A small package index (PEP 503, 691, 700) on loopback: package_index.py LOG

Reads one JSON list from the first line of its standard input, of releases {"name", "version", "requires", "uploaded"};
each becomes a wheel with one module that has the version in `VERSION`. Prints its port, and ends when its input does.

While there is a file LOG.manner the index behaves as the word in it says:

    error   status 500
    stall   sends half of what was asked for, and nothing more
    cut     ends the connection there
    lie     sends wheels with other bytes than their hashes say
"""

import base64
import hashlib
import http.server
import io
import json
import pathlib
import re
import select
import sys
import threading
import zipfile

JSON = "application/vnd.pypi.simple.v1+json"


def normalised(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def wheel_of(release):
    module = release["name"].replace("-", "_")
    info = f"{module}-{release['version']}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {release['name']}", f"Version: {release['version']}"]
    metadata += [f"Requires-Dist: {requirement}" for requirement in release.get("requires", [])]
    files = {
        f"{module}.py": f"VERSION = {release['version']!r}\n",
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
    files, pages, log = {}, {}, None

    def manner(self):
        try:
            return pathlib.Path(self.log + ".manner").read_text().strip()
        except FileNotFoundError:
            return None

    def do_GET(self):
        if self.manner() == "error":
            return self.send_error(500)
        with open(self.log, "a") as log:
            log.write(self.path + "\n")
        name = self.path.rstrip("/").rpartition("/")[2]
        if self.path.startswith("/simple/") and name in self.pages:
            page = {"meta": {"api-version": "1.1"}, "name": name, "files": self.pages[name], "versions": []}
            page["versions"] = sorted({entry["filename"].split("-")[1] for entry in self.pages[name]})
            self.answer(JSON, json.dumps(page).encode())
        elif self.path.startswith("/files/") and name in self.files:
            self.answer("application/octet-stream", self.files[name])
        else:
            self.send_error(404)

    do_HEAD = do_GET

    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.send_body(body)

    def send_body(self, body):
        manner = self.manner()
        if manner == "lie" and self.path.startswith("/files/"):
            body = body[:-1] + bytes([body[-1] ^ 0xFF])
        self.wfile.write(body[: len(body) // 2] if manner in ("stall", "cut") else body)
        self.wfile.flush()
        if manner == "stall":
            select.select([self.connection], [], [])  # until the client has closed its end
        self.close_connection = self.close_connection or manner in ("stall", "cut")

    def log_message(self, *arguments):
        pass


def main():
    Index.log = sys.argv[1]
    for release in json.loads(sys.stdin.readline()):
        name, content = wheel_of(release)
        Index.files[name] = content
        Index.pages.setdefault(normalised(release["name"]), []).append(
            {
                "filename": name,
                "url": f"../../files/{name}",
                "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
                "upload-time": release["uploaded"],
                "size": len(content),
            }
        )
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
