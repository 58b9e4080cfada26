#!/usr/bin/env python3
"""Decisions per second: a daemon of ours with a cold process for each decision and with fork servers, and a gateway of the
existing design (Flask; a new evaluator for each request, which fetches, unpacks, installs and imports again).

    bench/governance.py [--venvoy PROGRAM] [--checks N] [--connections N] [--gateway]

The gateway needs Flask, which is installed into an environment of its own beside the results.
"""

import argparse
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "functional"))

POLICY = """\
class AIOSv1PolicyRule:
    def __init__(self, rule_id, settings, parameters):
        pass

    def eval(self, parameters, input_data, context):
        return {"allowed": input_data["node_data"]["number"] % 2 == 0, "input_data": input_data}
"""


def make_archive(path):
    from governance_harness import archive

    path.write_bytes(archive(POLICY))


def measure(connect, path, body, connections, checks, right):
    wrong, slow = [], []

    def ask(number):
        connection = connect()
        for index in range(checks // connections):
            count = number * 1000 + index
            begin = time.monotonic()
            connection.request("POST", path, json.dumps(body(count)), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            slow.append(time.monotonic() - begin)
            if not right(count, answer.status, json.loads(text)):
                wrong.append((answer.status, text[:200]))
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(connections)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - begin
    slow.sort()
    return {"per second": len(slow) / seconds, "median ms": slow[len(slow) // 2] * 1000,
            "99 % ms": slow[len(slow) * 99 // 100] * 1000, "wrong": len(wrong), "of": len(slow)}


def resident(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def venvoy(program, folder, launcher, connections, checks):
    (folder / "registry").mkdir(parents=True)
    (folder / "store").mkdir()
    make_archive(folder / "registry" / "rule.tar.gz")
    (folder / "registry" / "policies.json").write_text(json.dumps({"policies": [
        {"name": "bench.rule", "version": "1", "release_tag": "stable", "code": "rule.tar.gz"}]}))
    (folder / "config.yaml").write_text(json.dumps({
        "deployers": {"python": {"deployer_name": "python", "workdir": str(folder / "store"), "launcher": launcher}},
        "governance": {"registry": {"file": str(folder / "registry" / "policies.json")}, "local": {"timeout_ms": 60000}}}))
    command = [program, "--config", str(folder / "config.yaml"), "--state-dir", str(folder / "state"), "serve", "--listen",
               "127.0.0.1:0", "--trust-loopback"]
    daemon = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        for line in daemon.stderr:
            if found := re.search(r"listening on http://127.0.0.1:(\d+)", line):
                port = int(found.group(1))
                break
        threading.Thread(target=daemon.stderr.read, daemon=True).start()
        connect = lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        once = connect()
        once.request("POST", "/pre-check-policies/update", '{"add_node": "bench.rule:1-stable"}')
        assert once.getresponse().status == 200
        body = lambda count: {"input": {"node_data": {"number": count}}}
        right = lambda count, status, answer: status == (200 if count % 2 == 0 else 403)
        measure(connect, "/pre-checks/add_node", body, connections, connections * 4, right)
        before = resident(daemon.pid)
        result = measure(connect, "/pre-checks/add_node", body, connections, checks, right)
        result["memory grew by KiB"] = (resident(daemon.pid) - before) // 1024
        return result
    finally:
        daemon.terminate()
        daemon.wait(60)


def gateway(folder, connections, checks):
    folder.mkdir(parents=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "flask"], check=True)
    archives = folder / "archives"
    archives.mkdir()
    make_archive(archives / "rule.tar.gz")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(archives))

        def log_message(self, *arguments):
            pass

    files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=files.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{files.server_address[1]}/rule.tar.gz"
    process = subprocess.Popen([python, str(HERE / "governance_gateway.py"), url], stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(folder)})
    try:
        port = int(process.stdout.readline())
        connect = lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        body = lambda count: {"node_data": {"number": count}}
        right = lambda count, status, answer: status == 200 and answer["allowed"] == (count % 2 == 0)
        measure(connect, "/pre-checks/add-node/c1", body, connections, connections * 4, right)
        before = resident(process.pid)
        result = measure(connect, "/pre-checks/add-node/c1", body, connections, checks, right)
        result["memory grew by KiB"] = (resident(process.pid) - before) // 1024
        return result
    finally:
        process.terminate()
        process.wait(30)
        files.shutdown()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--venvoy", default=os.environ.get("VENVOY", "build/release/venvoy"))
    parser.add_argument("--checks", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--gateway", action="store_true", help="the gateway too")
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-governance-"))
    try:
        rows = {}
        for name, launcher in (("venvoy, fork server", "forkserver"), ("venvoy, cold process", "exec")):
            checks = arguments.checks if launcher == "forkserver" else max(arguments.checks // 5, 320)
            rows[name] = venvoy(arguments.venvoy, folder / launcher, launcher, arguments.connections, checks)
        if arguments.gateway:
            rows["gateway (Flask)"] = gateway(folder / "gateway", arguments.connections, arguments.checks)
        columns = list(next(iter(rows.values())))
        print("| | " + " | ".join(columns) + " |")
        print("|---|" + "---:|" * len(columns))
        for name, row in rows.items():
            print(f"| {name} | " + " | ".join(f"{row[column]:.1f}" if isinstance(row[column], float) else str(row[column])
                                             for column in columns) + " |")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
