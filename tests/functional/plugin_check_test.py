"""venvoy plugin check REF: what it finds, and its exit codes (spec/command.md section 3)."""

import json

import harness
from harness import FunctionalTest


class PluginCheckTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()

    def check(self, reference, *arguments):
        result = self.call(*arguments, "plugin", "check", reference, "--output", "json")
        return result, json.loads(result.out) if result.out else None

    def require(self, result, report, code, **facts):
        self.assertEqual(result.code, code, result)
        for name, value in facts.items():
            self.assertEqual(report[name], value, result)

    def test_a_good_plugin(self):
        plugin = self.tiny()
        for _ in ("installs it", "finds it installed, and starts it all the same"):
            result, report = self.check(plugin.reference())
            self.require(result, report, 0, contract="kept", starts=True, version=plugin.head(), findings=[])
            self.assertIn("hello", report["steps"])
            self.assertIn("module", plugin.take_marks())

    def test_without_the_contract(self):
        plugin = self.tiny(contract=False)
        result, report = self.check(plugin.reference())
        self.require(result, report, 1, contract="missing", starts=None)
        self.assertEqual([finding["severity"] for finding in report["findings"]], ["error"])
        self.assertIn(harness.MARKER, result.err)
        self.assertEqual(plugin.take_marks(), [], "code of the plugin has run")

    def test_without_the_contract_but_allowed(self):
        plugin = self.tiny(contract=False)
        result, report = self.check(plugin.reference(), "--allow-incompatible", plugin.reference())
        self.require(result, report, 0, contract="overridden", starts=True)
        self.assertEqual([finding["severity"] for finding in report["findings"]], ["warning"])

    def test_it_does_not_install(self):
        plugin = self.tiny(build_failure="the backend is out of order")
        result, report = self.check(plugin.reference())
        self.require(result, report, 1, starts=None)
        self.assertIn("out of order", result.err)

    def test_it_does_not_start(self):
        plugin = self.tiny()
        plugin.write("tiny_plugin/__main__.py", "import sys\nsys.exit('it broke at once')\n")
        plugin.commit()
        result, report = self.check(plugin.reference())
        self.require(result, report, 1)
        self.assertIn("it broke at once", report["findings"][0]["text"])

    def test_it_starts_no_longer(self):
        # The schema is known from the first start; that it does not start now is found all the same.
        plugin = self.tiny()
        switch = self.write("switch", "")
        main = (plugin.folder / "tiny_plugin" / "__main__.py").read_text()
        plugin.write("tiny_plugin/__main__.py", f"open({str(switch)!r})\n" + main)
        plugin.commit()
        result, report = self.check(plugin.reference())
        self.require(result, report, 0)
        switch.unlink()
        result, report = self.check(plugin.reference())
        self.require(result, report, 1, starts=False)
        self.assertIn("FileNotFoundError", result.err)

    def test_its_schema_makes_no_sense(self):
        plugin = self.tiny()
        text = (plugin.folder / "tiny_plugin" / "__main__.py").read_text()
        plugin.write("tiny_plugin/__main__.py", text.replace('name="string"', 'name="strng"'))
        plugin.commit()
        result, report = self.check(plugin.reference())
        self.require(result, report, 1)
        self.assertIn("strng", report["findings"][0]["text"])

    def test_a_default_that_does_not_fit(self):
        plugin = self.tiny()
        text = (plugin.folder / "tiny_plugin" / "__main__.py").read_text()
        plugin.write(
            "tiny_plugin/__main__.py",
            text.replace('"display": {}}', '"display": {}, **({"default": "[]"} if key == "name" else {})}'),
        )
        plugin.commit()
        result, report = self.check(plugin.reference())
        self.require(result, report, 1, starts=True)
        self.assertIn("default", report["findings"][0]["text"])

    def test_what_is_not_there(self):
        plugin = self.tiny()
        self.require(*self.check(plugin.reference("0" * 40)), 1, starts=None)

    def test_nothing_could_be_looked_at(self):
        server = self.git_server()
        plugin = self.tiny()
        reference = plugin.reference(url=server.url("plain", "plugin"))
        server.stop()
        result, report = self.check(reference)
        self.require(result, report, 3, contract="not known", starts=None)
        self.assertEqual(len(report["findings"]), 1)

    def test_usage(self):
        for arguments in ([], ["one", "two"], ["a@git+", "--nonsense"], ["a@git+nonsense"]):
            result = self.call("plugin", "check", *arguments)
            self.assertEqual(result.code, 2, result)
            self.assertEqual(result.out, "")
        result = self.call("plugin", "check", "--help")
        self.assertEqual(result.code, 0)
        self.assertIn("Example: venvoy plugin check ", result.out)


if __name__ == "__main__":
    harness.main()
