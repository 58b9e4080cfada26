"""A gateway of the existing design, as something to compare with: each request makes a new evaluator, which fetches the
archive, unpacks it into a folder of its own (never removed), installs its requirements into this very environment,
imports `function` and calls it in this process. Nothing is limited, isolated, kept or logged.

    governance_gateway.py ARCHIVE_URL      prints its port
"""

import importlib.util
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
import urllib.request
import uuid

from flask import Flask, jsonify, request
from werkzeug.serving import make_server

app = Flask(__name__)
ARCHIVE = sys.argv[1]
# The module's name is fixed, so two requests must not import at once; the original does not care.
importing = threading.Lock()


class Evaluator:
    def __init__(self, url):
        folder = os.path.join(tempfile.gettempdir(), str(uuid.uuid4()))
        os.makedirs(folder)
        archive = os.path.join(folder, "policy.tar.gz")
        urllib.request.urlretrieve(url, archive)
        with tarfile.open(archive) as opened:
            opened.extractall(folder)
        code = os.path.join(folder, "code")
        requirements = os.path.join(code, "requirements.txt")
        if os.path.exists(requirements):
            subprocess.run([sys.executable, "-m", "pip", "install", "-r", requirements], check=True)
        with importing:
            spec = importlib.util.spec_from_file_location("function", os.path.join(code, "function.py"))
            module = importlib.util.module_from_spec(spec)
            sys.modules["function"] = module
            spec.loader.exec_module(module)
            self.rule = module.AIOSv1PolicyRule("", {}, {})

    def evaluate(self, value):
        return self.rule.eval({}, value, None)


@app.post("/pre-checks/add-node/<cluster>")
def add_node(cluster):
    answer = Evaluator(ARCHIVE).evaluate(request.get_json())
    return jsonify({"success": True, "allowed": answer.get("allowed", False), "message": "policy"})


server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
