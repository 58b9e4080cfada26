"""With everything cached no connection is opened; bad servers do no harm (issue, design D16)."""

import os

import harness
from harness import HELLO, FunctionalTest, Repository, greeting

HELLO_WORKFLOW = harness.PROJECT / "samples" / "hello" / "workflow.yaml"

# A network namespace of its own has no network, not even a loopback interface that is up.
NAMESPACE = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-current-user", "--net"]

# Runs a command, then writes the namespace's counters to a file: they tell of attempts that nobody mentioned.
COUNTING = 'file=$1; shift; "$@"; code=$?; cat /proc/net/snmp >"$file"; exit $code'


class OfflineTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()

    def without_network(self, file="counters"):
        return [*NAMESPACE, "sh", "-c", COUNTING, "sh", str(self.folder / file)]

    def attempts(self, file="counters"):
        """How often something was sent, or would have been if there were a way, in the last such namespace."""
        lines = [line.split() for line in (self.folder / file).read_text().splitlines()]
        counters = {}
        for names, values in zip(lines[::2], lines[1::2]):
            counters.update({f"{names[0]}{name}": int(value) for name, value in zip(names[1:], values[1:])})
        return sum(counters[name] for name in ("Ip:OutRequests", "Ip:OutNoRoutes", "Tcp:ActiveOpens", "Udp:OutDatagrams"))

    def use(self, plugin, server, manner="plain", version=None, file="workflow.yaml"):
        reference = plugin.reference(version, url=server.url(manner, "plugin/.git"))
        self.write_workflow(reference, file=file)
        return reference

    def test_the_counters_tell(self):
        # The tests below rely on it.
        for address, expected in ((None, 0), ("192.0.2.1", 1), ("127.0.0.1", 1)):
            code = f"import socket; socket.socket().connect_ex(({address!r}, 80))" if address else ""
            command = harness.subprocess.run([*self.without_network(), harness.PYTHON, "-c", code])
            self.assertEqual(command.returncode, 0)
            self.assertEqual(self.attempts() > 0, expected > 0, address)

    def test_a_cached_plugin_runs_without_network(self):
        plugin, server = self.tiny(), self.git_server()
        for version in (None, "main", plugin.head(), plugin.head()[:10]):
            with self.subTest(version=version):
                self.use(plugin, server, version=version)
                self.require_message(self.run_workflow(), greeting(plugin))
                requests = len(server.requests())
                self.assertGreater(requests, 0)
                result = self.run_workflow(wrapper=self.without_network())
                self.require_message(result, greeting(plugin))
                self.assertEqual(self.attempts(), 0, result)
                # Nor with a network that is there.
                self.require_message(self.run_workflow(), greeting(plugin))
                self.assertEqual(len(server.requests()), requests)

    def test_a_plugin_of_the_sdk_runs_without_network(self):
        server = self.git_server()
        plugin = Repository(self.folder / "plugin", HELLO)
        plugin.commit()
        reference = f"venvoy-hello@git+{server.url('plain', 'plugin/.git')}@{plugin.head()}"
        self.write("workflow.yaml", HELLO_WORKFLOW.read_text().replace("@REFERENCE@", reference))
        self.write("input.yaml", "name: World\n")
        command = ["-input", "input.yaml", "-config", "config.yaml", "-workflow", "workflow.yaml"]
        first = self.call(*command, patience=300)
        self.assertEqual(first.code, 0, first)
        second = self.call(*command, wrapper=self.without_network())
        self.assertEqual(second.code, 0, second)
        self.assertEqual(self.attempts(), 0, second)
        self.assertEqual(first.out, second.out)
        self.assertEqual(second.output["output_data"]["cheers"], ["Hello, World!"] * 3)

    def test_always_needs_the_network(self):
        plugin, server = self.tiny(), self.git_server()
        self.use(plugin, server)
        self.require_message(self.run_workflow(), greeting(plugin))
        self.write_config(modulePullPolicy="Always")
        self.require_failure(self.run_workflow(wrapper=self.without_network()), 1, "127.0.0.1")
        self.assertGreater(self.attempts(), 0)

    def test_offline_option_with_an_empty_store(self):
        plugin, server = self.tiny(), self.git_server()
        reference = self.use(plugin, server)
        result = self.call("--offline", "run", "workflow.yaml", wrapper=self.without_network())
        self.require_failure(result, 1, reference, "network", f"workflow.yaml:{self.line_of('src:')}")
        self.assertEqual(self.attempts(), 0)
        self.assertEqual(server.requests(), [])
        self.require_message(self.run_workflow(), greeting(plugin))

    def test_a_stock_server_that_refuses_ids(self):
        # The first commit is no branch's head: such a server hands it out only with a branch.
        for manner in ("plain", "refused"):
            with self.subTest(manner=manner):
                plugin = self.tiny(f"plugin-{manner}")
                first = plugin.head()
                plugin.change(text="the second commit")
                plugin.branch("other")
                plugin.change(text="the commit of the other branch")
                server = self.git_server()
                self.write_workflow(plugin.reference(first, url=server.url(manner, f"{plugin.folder.name}/.git")))
                self.require_message(self.run_workflow(), "Hello, World, from the first commit!")
                server.stop()

    def test_bad_servers_give_an_error_in_bounded_time(self):
        plugin, server = self.tiny(), self.git_server()
        manners = ["silent", "stall", "cut", "cut-quietly", "error", "html", "garbage", "forbidden", "redirect-9"]
        running = {}
        for manner in manners:
            reference = self.use(plugin, server, manner, plugin.head(), file=f"{manner}.yaml")
            running[manner] = reference, self.start("run", f"{manner}.yaml")
        for manner, (reference, run) in running.items():
            with self.subTest(manner=manner):
                result = run.finish()
                self.require_failure(result, 1, reference, f"{manner}.yaml:{self.line_of('src:', f'{manner}.yaml')}")
                self.assertNotIn("internal error", result.err.lower())
        self.require_no_process()
        self.assertEqual(plugin.take_marks(), [])
        # What they have left behind does no harm to a good one, nor to the next try.
        self.use(plugin, server)
        self.require_message(self.run_workflow(), greeting(plugin))
        self.require_clean_store()

    def test_a_server_that_becomes_good_again(self):
        # The same URL: the mirror of the bad fetch is used by the good one.
        plugin = self.tiny()
        for manner in ("cut", "cut-quietly", "error", "garbage"):
            with self.subTest(manner=manner):
                server = self.git_server()
                bad = server.url(manner, "plugin/.git")
                good = server.url("plain", "plugin/.git")
                self.write_workflow(plugin.reference(plugin.head(), url="https://git.example.org/plugin.git"))
                rewrite = {"from": "https://git.example.org/plugin.git"}
                self.write_config(sourceRewrites=[{**rewrite, "to": bad}])
                self.require_failure(self.run_workflow(), 1, "https://git.example.org/plugin.git")
                self.write_config(sourceRewrites=[{**rewrite, "to": good}])
                self.require_message(self.run_workflow(), greeting(plugin))
                plugin.change(text=f"the commit after {manner}")


if __name__ == "__main__":
    harness.main()
