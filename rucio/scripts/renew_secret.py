"""Brings the Secret of a policy package up to date: in a pod, by a cron job (venvoy package render cronjob).

Builds the package of $REQUIREMENT, compares the files of the module $MODULE with the Secret $SECRET in $NAMESPACE, and
patches it if they differ. Needs pip, and git for git references, and the right to get and patch that one Secret.
$KUBERNETES_API and $SERVICE_ACCOUNT stand for the API server and for the folder with token and certificate.
"""

import base64
import hashlib
import json
import os
import ssl
import subprocess
import sys
import tempfile
import urllib.request
import zipfile

MAX_BYTES = 1 << 20


def build(folder):
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-cache-dir", "--wheel-dir", folder]
    subprocess.run([*command, os.environ["REQUIREMENT"]], check=True, stdout=sys.stderr)
    (name,) = [name for name in os.listdir(folder) if name.endswith(".whl")]
    return zipfile.ZipFile(os.path.join(folder, name))


def module_files(wheel):
    prefix = os.environ["MODULE"] + "/"
    files = {name[len(prefix) :]: wheel.read(name) for name in wheel.namelist() if name.startswith(prefix)}
    files = {name: data for name, data in files.items() if name and "__pycache__" not in name}
    files = {name: data for name, data in files.items() if not name.startswith(("test/", "tests/"))}
    nested = [name for name in files if "/" in name]
    if nested or not files:
        sys.exit(f"the module has {'folders: ' + ', '.join(nested) if nested else 'no files'}")
    if sum(map(len, files.values())) > MAX_BYTES:
        sys.exit(f"the files are more than {MAX_BYTES} bytes")
    return files


def call(method, body=None):
    account = os.environ.get("SERVICE_ACCOUNT", "/var/run/secrets/kubernetes.io/serviceaccount")
    server = os.environ.get("KUBERNETES_API")
    context = None
    if not server:
        server = "https://{KUBERNETES_SERVICE_HOST}:{KUBERNETES_SERVICE_PORT}".format(**os.environ)
        context = ssl.create_default_context(cafile=os.path.join(account, "ca.crt"))
    with open(os.path.join(account, "token"), encoding="utf-8") as file:
        headers = {"Authorization": "Bearer " + file.read().strip(), "Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/merge-patch+json"
    path = "/api/v1/namespaces/{NAMESPACE}/secrets/{SECRET}".format(**os.environ)
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server + path, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, context=context, timeout=60) as answer:
        return json.load(answer)


def main():
    with tempfile.TemporaryDirectory() as folder:
        wheel = build(folder)
        files = module_files(wheel)
    wanted = {name: base64.b64encode(data).decode() for name, data in files.items()}
    there = call("GET").get("data") or {}
    if wanted == there:
        print("unchanged")
        return
    lines = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    annotations = {"venvoy/content-sha256": hashlib.sha256(lines.encode()).hexdigest(), "venvoy/commit": None}
    annotations["venvoy/version"] = os.path.basename(wheel.filename).split("-")[1]
    # A null removes a file that the package has no more.
    data = {**{name: None for name in there}, **wanted}
    call("PATCH", {"metadata": {"annotations": annotations}, "data": data})
    print("changed")


main()
