"""As much of a Kubernetes API server as a plugin for pods needs, on loopback: kubernetes_api.py LOG [TOKEN]

Reads one JSON list from the first line of its standard input, of pods {"namespace", "name", "labels", "comes_back"}.
Prints its port, and ends when its input does; appends a line to LOG for every request: "DELETE /api/v1/…". With a TOKEN
it wants `Authorization: Bearer TOKEN`.

    GET     /version
    GET     /api/v1/pods                        ?labelSelector=a=b,c!=d,e,!f  fieldSelector=metadata.name=…  limit, continue
    GET     /api/v1/namespaces[/NAMESPACE]
    GET     /api/v1/namespaces/NAMESPACE/pods
    POST    /api/v1/namespaces/NAMESPACE/pods
    GET     /api/v1/namespaces/NAMESPACE/pods/NAME
    DELETE  /api/v1/namespaces/NAMESPACE/pods/NAME

A pod that is deleted is "terminating" for a moment, then gone. One that comes back gets a successor with another name, as
the pods of a Deployment do.
"""

import http.server
import json
import re
import sys
import threading
import time
import urllib.parse
import uuid

TERMINATING_SECONDS = 0.3


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def selects(selector, labels):
    """Whether labels fit a selector: `a=b`, `a==b`, `a!=b`, `a`, `!a`, with commas between them."""
    for term in filter(None, (part.strip() for part in selector.split(","))):
        match = re.fullmatch(r"([^=!]+?)\s*(==?|!=)\s*(.*)", term)
        if match:
            name, operator, value = match.groups()
            fits = (labels.get(name) == value) == (operator != "!=")
        else:
            fits = term.lstrip("!") in labels if not term.startswith("!") else term[1:] not in labels
        if not fits:
            return False
    return True


class Cluster:
    def __init__(self, pods):
        self.lock = threading.Lock()
        self.pods = {}
        self.version = 1
        for pod in pods:
            self.add(pod)

    def add(self, wanted):
        """Adds a pod; None if there is one of that name."""
        with self.lock:
            key = (wanted["namespace"], wanted["name"])
            if key in self.pods:
                return None
            self.version += 1
            self.pods[key] = {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "namespace": wanted["namespace"],
                    "name": wanted["name"],
                    "uid": str(uuid.uuid4()),
                    "resourceVersion": str(self.version),
                    "creationTimestamp": now(),
                    "labels": wanted.get("labels", {}),
                    "annotations": {"comes-back": "yes"} if wanted.get("comes_back") else {},
                },
                "spec": {"containers": [{"name": "main", "image": "example.org/image:1"}], "nodeName": "node-1"},
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
            }
            return self.pods[key]

    def find(self, namespace=None, selector="", fields=""):
        with self.lock:
            found = [pod for (place, _), pod in sorted(self.pods.items()) if namespace in (None, place)]
        found = [pod for pod in found if selects(selector, pod["metadata"]["labels"])]
        plain = ("metadata.name", "metadata.namespace", "spec.nodeName", "status.phase")
        return [pod for pod in found if selects(fields, {name: part_of(pod, name) for name in plain})]

    def get(self, namespace, name):
        with self.lock:
            return self.pods.get((namespace, name))

    def delete(self, namespace, name):
        with self.lock:
            pod = self.pods.get((namespace, name))
            if pod and "deletionTimestamp" not in pod["metadata"]:
                self.version += 1
                pod["metadata"].update(deletionTimestamp=now(), resourceVersion=str(self.version))
                threading.Timer(TERMINATING_SECONDS, self.remove, [namespace, name]).start()
            return pod

    def remove(self, namespace, name):
        with self.lock:
            pod = self.pods.pop((namespace, name))
        if pod["metadata"]["annotations"]:
            stem = re.sub(r"-[0-9a-f]{5}$", "", name)
            self.add(
                {
                    "namespace": namespace,
                    "name": f"{stem}-{uuid.uuid4().hex[:5]}",
                    "labels": pod["metadata"]["labels"],
                    "comes_back": True,
                }
            )


def part_of(pod, path):
    for name in path.split("."):
        pod = pod.get(name, {})
    return pod


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cluster = log = token = None
    log_lock = threading.Lock()

    def do_GET(self):
        self.answer()

    do_POST = do_DELETE = do_GET

    def log_message(self, *arguments):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        with self.log_lock, open(self.log, "a") as log:
            log.write(f"{self.command} {self.path}\n")
        if self.token and self.headers.get("Authorization") != f"Bearer {self.token}":
            return self.fail(401, "Unauthorized", "Unauthorized")
        query = {name: values[-1] for name, values in urllib.parse.parse_qs(url.query).items()}
        parts = [urllib.parse.unquote(part) for part in url.path.strip("/").split("/")]
        if self.command == "GET" and parts == ["version"]:
            return self.send(200, {"major": "1", "minor": "30", "gitVersion": "v1.30.0"})
        if parts[:2] == ["api", "v1"]:
            if self.command == "GET" and parts[2:] == ["pods"]:
                return self.list_pods(None, query)
            if self.command == "GET" and parts[2:] == ["namespaces"]:
                return self.list_namespaces()
            if parts[2] == "namespaces" and len(parts) == 4 and self.command == "GET":
                return self.send(200, namespace_of(parts[3]))
            if parts[2] == "namespaces" and len(parts) >= 5 and parts[4] == "pods":
                return self.pods(parts[3], parts[5:], query, body)
        self.fail(404, "NotFound", "the server could not find the requested resource")

    def pods(self, namespace, name, query, body):
        if not name and self.command == "GET":
            return self.list_pods(namespace, query)
        if not name and self.command == "POST":
            metadata = json.loads(body)["metadata"]
            pod = self.cluster.add(
                {"namespace": namespace, "name": metadata["name"], "labels": metadata.get("labels", {})}
            )
            return self.send(201, pod) if pod else self.fail(409, "AlreadyExists", "there is one already")
        if len(name) != 1 or self.command == "POST":
            return self.fail(405, "MethodNotAllowed", "the server does not allow this method here")
        pod = (self.cluster.delete if self.command == "DELETE" else self.cluster.get)(namespace, name[0])
        return self.send(200, pod) if pod else self.fail(404, "NotFound", f'pods "{name[0]}" not found')

    def list_pods(self, namespace, query):
        found = self.cluster.find(namespace, query.get("labelSelector", ""), query.get("fieldSelector", ""))
        start = int(query.get("continue", 0))
        limit = int(query.get("limit") or len(found) or 1)
        metadata = {"resourceVersion": str(self.cluster.version)}
        if start + limit < len(found):
            metadata["continue"] = str(start + limit)
        items = found[start : start + limit]
        self.send(200, {"apiVersion": "v1", "kind": "PodList", "metadata": metadata, "items": items})

    def list_namespaces(self):
        names = sorted({pod["metadata"]["namespace"] for pod in self.cluster.find()})
        items = [namespace_of(name) for name in names]
        self.send(200, {"apiVersion": "v1", "kind": "NamespaceList", "metadata": {}, "items": items})

    def fail(self, code, reason, message):
        status = {"apiVersion": "v1", "kind": "Status", "status": "Failure"}
        self.send(code, {**status, "code": code, "reason": reason, "message": message})

    def send(self, code, value):
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def namespace_of(name):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "status": {"phase": "Active"}}


def main():
    Server.log, *token = sys.argv[1:]
    Server.token = token[0] if token else None
    Server.cluster = Cluster(json.loads(sys.stdin.readline()))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
