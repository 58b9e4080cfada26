"""The compatibility contract: code of a plugin without it does not run (issue, design D5)."""

import harness
from harness import MARKER, FunctionalTest, greeting


class ContractTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()

    def use(self, plugin, version=None, **settings):
        self.write_workflow(plugin.reference(version))
        self.write_config(**settings)

    def require_refusal(self, result, plugin, *words):
        self.require_failure(
            result, 1, "impossible to run module tiny-plugin", "marked as incompatible in package metadata", *words
        )
        self.assertEqual(plugin.take_marks(), [], "code of the plugin has run")

    def test_without_the_file_nothing_of_the_plugin_runs(self):
        """TestRunIncompatiblePlugin"""
        plugin = self.tiny(contract=False)
        self.use(plugin)
        result = self.run_workflow()
        self.require_refusal(result, plugin, f"from repo {plugin.url} ")
        # What to do: the file, the key, the option.
        for words in (MARKER, "overrideModuleCompatibility: true", "--allow-incompatible"):
            self.assertIn(words, result.err)
        self.assertIn(f"workflow.yaml:{self.line_of('src:')}", result.err)
        self.assertEqual(self.environments(), [])
        self.assertEqual(self.in_store("wheel-v1/*/ready.json"), [])

    def test_the_marks_tell(self):
        # The other tests rely on it: each part of the plugin leaves its mark.
        plugin = self.tiny()
        self.use(plugin)
        self.require_message(self.run_workflow(), greeting(plugin))
        marks = plugin.take_marks()
        self.assertEqual({"backend", "build", "module"}, set(marks))
        self.assertEqual(marks.count("build"), 1)

    def test_override_and_back_on_the_warm_store(self):
        """TestRunIncompatiblePluginOverride"""
        plugin = self.tiny(contract=False)
        self.use(plugin, overrideModuleCompatibility=True)
        result = self.run_workflow()
        self.require_message(result, greeting(plugin))
        self.assertRegex(result.err, r"warning: .*tiny-plugin", "the override warns and names the module")
        self.assertIn("build", plugin.take_marks())
        self.assertEqual(len(self.environments()), 1)

        self.use(plugin, overrideModuleCompatibility=False)
        self.require_refusal(self.run_workflow(), plugin)
        self.assertEqual(len(self.environments()), 1, "the environment stays")

        self.use(plugin, overrideModuleCompatibility=True)
        self.require_message(self.run_workflow(), greeting(plugin))
        self.assertNotIn("build", plugin.take_marks(), "the environment was there")

    def test_override_as_text(self):
        plugin = self.tiny(contract=False)
        self.use(plugin, overrideModuleCompatibility="true")
        self.require_message(self.run_workflow(), greeting(plugin))

    def test_a_file_in_a_folder_does_not_count(self):
        plugin = self.tiny(contract=False)
        plugin.write(f"tiny_plugin/{MARKER}", "")
        plugin.commit()
        self.use(plugin)
        self.require_refusal(self.run_workflow(), plugin)

    def test_a_folder_of_that_name_does_not_count(self):
        plugin = self.tiny(contract=False)
        plugin.write(f"{MARKER}/file", "")
        plugin.commit()
        self.use(plugin)
        self.require_refusal(self.run_workflow(), plugin)

    def test_the_root_of_a_plugin_in_a_subdirectory(self):
        # The repository's root has no contract, the plugin's root has; then the other way round.
        plugin = self.tiny(contract=False)
        for has_contract in (True, False):
            folder = f"inner-{has_contract}"
            for path in sorted(plugin.folder.rglob("*.*")):
                name = path.relative_to(plugin.folder)
                if path.is_file() and name.parts[0] not in (".git", MARKER) and not name.parts[0].startswith("inner"):
                    plugin.write(f"{folder}/{name}", path.read_text())
            plugin.write(f"{folder}/{MARKER}" if has_contract else MARKER, "")
            plugin.commit()
            self.write_workflow(plugin.reference() + f"#subdirectory={folder}")
            # Another store: the branch would keep its first commit otherwise.
            self.write_config(workdir=str(self.folder / f"store-{has_contract}"))
            result = self.run_workflow()
            if has_contract:
                self.require_message(result, greeting(plugin))
                plugin.take_marks()
            else:
                self.require_refusal(result, plugin)

    def test_an_older_commit_without_it(self):
        plugin = self.tiny(contract=False)
        older = plugin.head()
        plugin.write(MARKER, "")
        newer = plugin.commit()
        self.use(plugin, newer)
        self.require_message(self.run_workflow(), greeting(plugin))
        plugin.take_marks()
        self.use(plugin, older)
        self.require_refusal(self.run_workflow(), plugin, older)

    def test_a_newer_commit_that_has_lost_it(self):
        plugin = self.tiny()
        self.use(plugin)
        self.require_message(self.run_workflow(), greeting(plugin))
        plugin.take_marks()
        (plugin.folder / MARKER).unlink()
        plugin.commit()
        self.use(plugin, modulePullPolicy="Always")
        self.require_refusal(self.run_workflow(), plugin)
        self.use(plugin)
        self.require_message(self.run_workflow(), greeting(plugin))

    def test_allow_one_reference_for_one_run(self):
        plugin = self.tiny(contract=False)
        other = self.tiny("other", contract=False)
        self.use(plugin)
        allow = ["--allow-incompatible", plugin.reference(), "run", "workflow.yaml"]
        result = self.call(*allow)
        self.require_message(result, greeting(plugin))
        self.assertIn("tiny-plugin", result.err)
        plugin.take_marks()
        self.require_refusal(self.run_workflow(), plugin)
        self.use(other)
        self.require_refusal(self.call(*allow), other)

    def test_another_reference_to_the_same_commit_is_not_allowed(self):
        plugin = self.tiny(contract=False)
        self.use(plugin, plugin.head())
        result = self.call("--allow-incompatible", plugin.reference("main"), "run", "workflow.yaml")
        self.require_refusal(result, plugin)

    def test_plugin_run_and_plugin_schema_refuse_too(self):
        plugin = self.tiny(contract=False)
        self.write("input.yaml", "name: World\n")
        for command in (["plugin", "schema", plugin.reference()], ["cache", "pull", plugin.reference()]):
            self.require_refusal(self.call(*command), plugin)
        self.require_refusal(self.call("plugin", "run", plugin.reference(), "hello", "-i", "input.yaml"), plugin)

    def test_under_the_name_of_the_go_engine(self):
        plugin = self.tiny(contract=False)
        flags = ["-config", "config.yaml", "-workflow", "workflow.yaml"]
        # A missing contract is a warning, unless the key is there.
        self.use(plugin)
        result = self.call(*flags, name="arcaflow")
        self.require_message(result, greeting(plugin))
        self.assertRegex(result.err, r"\twarning\t.*tiny-plugin")
        plugin.take_marks()
        self.use(plugin, overrideModuleCompatibility=False)
        self.require_refusal(self.call(*flags, name="arcaflow"), plugin)
        # It is the name that decides, not the flags.
        self.use(plugin)
        self.require_refusal(self.call(*flags), plugin)


if __name__ == "__main__":
    harness.main()
