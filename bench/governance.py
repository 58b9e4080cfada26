#!/usr/bin/env python3
"""Decisions per second: a daemon of ours with a cold process for each decision and with fork servers, and a gateway of the
existing design (Flask; a new evaluator for each request, which fetches, unpacks, installs and imports again).

    bench/governance.py [--venvoy PROGRAM] [--checks N] [--connections N]

Once with a policy of its own code alone, once with one that requires a package. The gateway needs Flask, which is installed into an environment of its own beside the results.
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


def make_archive(path, requirements):
    from governance_harness import archive

    path.write_bytes(archive(POLICY, requirements="iniconfig\n" if requirements else None))


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
            try:
                good = right(count, answer.status, json.loads(text))
            except ValueError:
                good = False
            if not good:
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


def cpu_seconds(root):
    """Of a process, its descendants, and those of them that have ended."""
    parents, times = {}, {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fields = pathlib.Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(name)] = int(fields[1])
            times[int(name)] = sum(int(ticks) for ticks in fields[11:15])
    ours = {root}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return sum(times.get(pid, 0) for pid in ours) / os.sysconf("SC_CLK_TCK")


def load(process, connect, path, body, connections, checks, right):
    """Warms up, then measures; memory and processor time are those of the process and what it starts."""
    measure(connect, path, body, 1, 1, right)  # installs
    measure(connect, path, body, connections, connections * 2, right)
    memory, cpu = resident(process.pid), cpu_seconds(process.pid)
    result = measure(connect, path, body, connections, checks, right)
    result["CPU ms each"] = (cpu_seconds(process.pid) - cpu) * 1000 / result["of"]
    result["memory grew by KiB"] = (resident(process.pid) - memory) // 1024
    return result


def venvoy(program, folder, launcher, connections, checks, requirements):
    (folder / "registry").mkdir(parents=True)
    (folder / "store").mkdir()
    make_archive(folder / "registry" / "rule.tar.gz", requirements)
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
        return load(daemon, connect, "/pre-checks/add_node", body, connections, checks, right)
    finally:
        daemon.terminate()
        daemon.wait(60)


def gateway(folder, connections, checks, requirements):
    folder.mkdir(parents=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "flask"], check=True)
    archives = folder / "archives"
    archives.mkdir()
    make_archive(archives / "rule.tar.gz", requirements)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(archives))

        def log_message(self, *arguments):
            pass

    files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=files.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{files.server_address[1]}/rule.tar.gz"
    process = subprocess.Popen([python, str(HERE / "governance_gateway.py"), url], stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(folder), "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    try:
        port = int(process.stdout.readline())
        connect = lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        body = lambda count: {"node_data": {"number": count}}
        right = lambda count, status, answer: status == 200 and answer["allowed"] == (count % 2 == 0)
        return load(process, connect, "/pre-checks/add-node/c1", body, connections, checks, right)
    finally:
        process.terminate()
        process.wait(30)
        files.shutdown()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--venvoy", default=os.environ.get("VENVOY", "build/release/venvoy"))
    parser.add_argument("--checks", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=32)
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-governance-"))
    some, few = max(arguments.checks // 5, 320), max(arguments.checks // 100, 64)
    try:
        for requirements in (False, True):
            behind = ", a requirement" if requirements else ""
            for name, launcher, checks in (("fork server", "forkserver", arguments.checks), ("a process each", "exec", some)):
                place = folder / f"{launcher}-{requirements}"
                tell(f"venvoy, {name}{behind}", venvoy(arguments.venvoy, place, launcher, arguments.connections, checks,
                                                       requirements))
            place = folder / f"gateway-{requirements}"
            tell(f"gateway{behind}", gateway(place, arguments.connections, few if requirements else arguments.checks,
                                             requirements))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def tell(name, row, columns=[]):
    if not columns:
        columns += row
        print("| | " + " | ".join(columns) + " |")
        print("|---|" + "---:|" * len(columns))
    cells = [f"{row[column]:.1f}" if isinstance(row[column], float) else str(row[column]) for column in columns]
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
