"""venvoy plugin show REF: facts and contract of one plugin."""

import json

import harness
from harness import MARKER, FunctionalTest


class PluginShowTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()

    def show(self, reference, *arguments):
        result = self.call(*arguments, "plugin", "show", reference, "--output", "json")
        return result, json.loads(result.out) if result.out else None

    def test_a_plugin_of_a_repository(self):
        plugin = self.tiny()
        result, shown = self.show(plugin.reference())
        self.assertEqual(result.code, 0, result)
        (environment,) = self.environments()
        expected = {
            "reference": plugin.reference(),
            "kind": "git",
            "version": plugin.head(),
            "contract": "kept",
            "environment": str(environment),
            "environment_key": environment.parent.name,
        }
        self.assertEqual({name: shown[name] for name in expected}, expected, result)
        self.assertTrue(shown["python"]["path"].startswith("/usr/bin/python3"), result)
        self.assertIn(shown["installer"]["name"], ("uv", "pip"))
        self.assertIn("tiny-plugin", [each["name"] for each in shown["distributions"]])
        self.assertIn("success", shown["steps"]["hello"]["outputs"])
        plugin.take_marks()
        # What is known is told without starting the plugin.
        again, same = self.show(plugin.reference())
        self.assertEqual((again.code, same, plugin.take_marks()), (0, shown, []), again)

    def test_a_folder(self):
        plugin = self.tiny()
        result, shown = self.show("./plugin")
        self.assertEqual((result.code, shown["kind"], shown["reference"]), (0, "path", "./plugin"), result)
        self.assertNotEqual(shown["version"], plugin.head())

    def test_the_contract(self):
        plugin = self.tiny(contract=False)
        result, _ = self.show(plugin.reference())
        self.require_failure(result, 1, MARKER)
        result, shown = self.show(plugin.reference(), "--allow-incompatible", plugin.reference())
        self.assertEqual((result.code, shown["contract"]), (0, "overridden"), result)

    def test_what_cannot_be_shown(self):
        self.require_failure(self.show("tiny-plugin@git+file:///nowhere/at/all")[0], 1, "nowhere")
        self.require_failure(self.show("nonsense@@x")[0], 1, "nonsense")
        self.assertEqual(self.call("plugin", "show").code, 2)


if __name__ == "__main__":
    harness.main()
