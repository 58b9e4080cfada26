"""A git server for tests, on the loopback interface.

    git_http_server.py ROOT LOG [PEM]

Serves the repositories below ROOT through `git http-backend`. Prints its port, and that for TLS if PEM has a key and a
certificate, each on a line; ends when its standard input closes, and
appends a line to LOG for every request: "GET /plain/x.git/info/refs login=user:password host=127.0.0.1:1234".

The first part of a path is how the server behaves; the rest is the repository:

    plain          as a stock server: gives no commit by its id
    any-id         gives any commit by its id
    auth           the same as plain, but wants the login user:s3cret
    forbidden      status 403
    error          status 500
    error-N        the same, after N seconds
    html           status 200 and a page
    silent         takes the request and never answers
    garbage        git's type, not git's content
    refused        says that it gives any commit, and refuses to
    stall          stops in the middle of the objects, and keeps the connection open
    slow           hands out the objects in many small pieces
    cut            ends the connection in the middle of the objects
    cut-quietly    the same, in a way that HTTP takes for the end
    corrupt        changes a byte in the middle of the objects
    lie            sends a sound pack with objects of its own instead of those that were asked for
    lie-part       sends the commit that was asked for without what belongs to it
    redirect-N     redirects N times, then plain; the host name changes between 127.0.0.1 and localhost
    redirect-auth  redirects to `auth` on the other host name
    redirect-file  redirects to a file
    redirect-https redirects to https on another host
    redirect-tls   redirects from http to `auth` on https of the same host
    redirect-plain redirects to http on the same host
    redirect-page  redirects to a page
    redirect-post  redirects the request for objects only
    as-told        as the file MANNER in ROOT says: one of the above
"""

import base64
import functools
import http.server
import os
import select
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
import time

LOGIN = "user:s3cret"
ADVERTISEMENT = "application/x-git-upload-pack-advertisement"
RESULT = "application/x-git-upload-pack-result"
ANY_ID = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "uploadpack.allowAnySHA1InWant",
    "GIT_CONFIG_VALUE_0": "true",
}


def packet(payload):
    return b"%04x" % (len(payload) + 4) + payload


def split_packets(data):
    """The packets of git's protocol, with their lengths."""
    packets = []
    while data:
        length = max(4, int(data[:4], 16))
        packets.append(data[:length])
        data = data[length:]
    return packets


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root = log = None
    ports = []
    log_lock = threading.Lock()

    def do_GET(self):
        self.answer()

    def do_POST(self):
        self.answer()

    def log_message(self, *arguments):
        pass

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        path, _, query = self.path.partition("?")
        mode, _, repository = path.lstrip("/").partition("/")
        self.write_log(path)
        if mode == "as-told":
            with open(os.path.join(self.root, "MANNER")) as file:
                mode = file.read().strip()
        name, _, argument = mode.partition("-")
        special = getattr(self, "answer_" + name.replace("-", "_"), None)
        if special is None or mode == "any-id":
            self.send_git(mode, repository, query, body)
        else:
            special(argument, repository, query, body)

    def login(self):
        scheme, _, value = (self.headers.get("Authorization") or "").partition(" ")
        return base64.b64decode(value).decode() if scheme == "Basic" else ""

    def write_log(self, path):
        line = f"{self.command} {path} login={self.login()} host={self.headers['Host']}\n"
        with self.log_lock, open(self.log, "a") as log:
            log.write(line)

    # --- answers ---

    def git_answer(self, repository, query, body, extra):
        environment = dict(
            os.environ,
            GIT_PROJECT_ROOT=self.root,
            GIT_HTTP_EXPORT_ALL="1",
            REQUEST_METHOD=self.command,
            PATH_INFO="/" + repository,
            QUERY_STRING=query,
            CONTENT_TYPE=self.headers.get("Content-Type", ""),
            CONTENT_LENGTH=str(len(body)),
            REMOTE_ADDR="127.0.0.1",
            **extra,
        )
        if self.headers.get("Git-Protocol"):
            environment["GIT_PROTOCOL"] = self.headers["Git-Protocol"]
        program = ["git", "-c", "safe.directory=*", "http-backend"]
        reply = subprocess.run(program, input=body, env=environment, capture_output=True).stdout
        head, _, data = reply.partition(b"\r\n\r\n")
        status, headers = 200, []
        for line in head.decode().split("\r\n"):
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                status = int(value.split()[0])
            elif name:
                headers.append((name, value))
        return status, headers, data

    def send(self, status, headers, data):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def send_git(self, mode, repository, query, body):
        self.send(*self.git_answer(repository, query, body, ANY_ID if mode == "any-id" else {}))

    def answer_auth(self, argument, repository, query, body):
        if self.login() != LOGIN:
            self.send(401, [("WWW-Authenticate", 'Basic realm="tests"')], b"who are you?")
        else:
            self.send_git("plain", repository, query, body)

    def answer_forbidden(self, *rest):
        self.send(403, [], b"no")

    def answer_error(self, argument, *rest):
        time.sleep(float(argument or 0))
        self.send(500, [], b"broken")

    def answer_html(self, *rest):
        self.send(200, [("Content-Type", "text/html; charset=utf-8")], b"<html></html>")

    def answer_garbage(self, *rest):
        self.send(200, [("Content-Type", ADVERTISEMENT)], b"garbage, and more of it")

    def answer_silent(self, *rest):
        self.wait_for_the_end()

    def answer_refused(self, argument, repository, query, body):
        if self.command == "POST" and b"have " not in body and b"refs" not in body and body.count(b"want ") == 1:
            text = b"ERR upload-pack: not our ref"
            self.send(200, [("Content-Type", RESULT)], b"%04x%s" % (len(text) + 4, text))
        else:
            self.send_git("any-id", repository, query, body)

    def answer_stall(self, argument, repository, query, body):
        if self.command == "GET":
            return self.send_git("any-id", repository, query, body)
        self.send_half(repository, query, body, True)
        self.wait_for_the_end()

    def answer_cut(self, argument, repository, query, body):
        if self.command == "GET":
            return self.send_git("plain", repository, query, body)
        self.send_half(repository, query, body, argument != "quietly")
        self.close_connection = True

    def answer_corrupt(self, argument, repository, query, body):
        status, headers, data = self.git_answer(repository, query, body, ANY_ID)
        if b"PACK" in data:
            # The byte after next of some band: never one of the four digits of a length.
            packets = [packet for packet in split_packets(data) if packet[4:5] == b"\x01" and len(packet) > 20]
            largest = max(packets, key=len)
            middle = len(largest) // 2
            changed = largest[:middle] + bytes([largest[middle] ^ 0xFF]) + largest[middle + 1 :]
            data = data.replace(largest, changed, 1)
        self.send(status, headers, data)

    def answer_lie(self, argument, repository, query, body):
        status, headers, data = self.git_answer(repository, query, body, ANY_ID)
        if b"PACK" in data:
            pack = self.pack_of_the_commit(repository, body) if argument else self.pack_of_other_objects()
            data = packet(b"NAK\n") + packet(b"\x01" + pack) + b"0000"
        self.send(status, headers, data)

    def pack_of_other_objects(self):
        with tempfile.TemporaryDirectory() as folder:
            environment = dict(os.environ, GIT_DIR=folder)
            run = functools.partial(subprocess.run, env=environment, check=True, capture_output=True)
            run(["git", "init", "-q", "--bare", folder])
            blob = run(["git", "hash-object", "-w", "--stdin"], input=b"nobody has asked for this").stdout
            return run(["git", "pack-objects", "--stdout", "-q"], input=blob).stdout

    def pack_of_the_commit(self, repository, body):
        wanted = body[body.index(b"want ") + 5 :][:40]
        command = ["git", "-c", "safe.directory=*", "-C", os.path.join(self.root, repository.partition("/git-")[0])]
        command += ["pack-objects", "--stdout", "-q"]
        return subprocess.run(command, input=wanted + b"\n", check=True, capture_output=True).stdout

    def send_half(self, repository, query, body, with_length):
        status, headers, data = self.git_answer(repository, query, body, ANY_ID)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if with_length:
            self.send_header("Content-Length", str(len(data)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data[: len(data) * 2 // 3])
        self.wfile.flush()

    def answer_slow(self, argument, repository, query, body):
        status, headers, data = self.git_answer(repository, query, body, {})
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        for start in range(0, len(data), max(1, len(data) // 20)):
            self.wfile.write(data[start : start + max(1, len(data) // 20)])
            self.wfile.flush()
            time.sleep(0.02)

    def answer_redirect(self, argument, repository, query, body):
        host, port = self.headers["Host"].split(":")
        other = "localhost" if host == "127.0.0.1" else "127.0.0.1"
        tail = f"{repository}?{query}"
        if argument == "post":
            if self.command == "GET":
                return self.send_git("plain", repository, query, body)
            target = f"/plain/{tail}"
        elif argument == "file":
            target = f"file://{self.root}/{tail}"
        elif argument == "https":
            target = f"https://{other}:{port}/plain/{tail}"
        elif argument == "tls":
            target = f"https://{host}:{self.ports[1]}/auth/{tail}"
        elif argument == "plain":
            target = f"http://{host}:{self.ports[0]}/plain/{tail}"
        elif argument == "page":
            target = "/login"
        elif argument == "auth":
            target = f"http://{other}:{port}/auth/{tail}"
        else:
            left = int(argument) - 1
            target = f"http://{other}:{port}/{f'redirect-{left}' if left else 'plain'}/{tail}"
        self.send(302, [("Location", target)], b"elsewhere")

    def wait_for_the_end(self):
        # Until the client has closed its end.
        select.select([self.connection], [], [])
        self.close_connection = True


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # clients that go away are part of the tests


def serve(context=None):
    server = Server(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Handler.ports.append(server.server_address[1])


def main():
    Handler.root, Handler.log, *pem = sys.argv[1:]
    serve()
    if pem:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem[0])
        serve(context)
    print(*Handler.ports, sep="\n", flush=True)
    sys.stdin.read()


main()
