"""Policies about what the engine itself does (spec/governance.md section 9, statements 48 to 50, and 8.8)."""

import json
import os
import signal
import time

from governance_harness import GovernanceTest
from harness import greeting, main, wait_until


class Hooks(GovernanceTest):
    def setUp(self):
        super().setUp()
        self.add_general()
        # What a run makes is looked for, so this store is not shared.
        self.store = self.folder / "own-store"
        self.store.mkdir()
        self.write_governance()
        self.plugin = self.tiny()
        self.reference = self.plugin.reference(self.plugin.head())
        self.write_workflow(self.reference)

    def rule_for(self, action, do, **parameters):
        result = self.governance("update", "-f", str(self.write("map.json", json.dumps({action: self.rule(do, **parameters)}))))
        self.assertEqual(result.code, 0, result)

    def run_it(self, *arguments, **options):
        return self.call("-v", "--config", str(self.folder / "governance.yaml"), "--state-dir", str(self.state), "run",
                         "workflow.yaml", *arguments, **options)

    def test_48_a_denied_deployment_leaves_nothing(self):
        self.rule_for("engine.deploy_plugin", "echo")
        result = self.run_it()
        self.require_failure(result, 1, "a policy has denied the deployment")
        self.assertEqual(self.in_store("git-v1/*"), [])
        self.assertEqual(len(self.environments()), 1)  # the policy's own
        self.assertEqual(self.plugin.take_marks(), [])
        told = json.loads(self.decisions()[-1]["reason"])
        self.assertEqual(told["input"]["reference"], self.reference, result)
        self.assertEqual((told["input"]["source"], told["input"]["pull_policy"], told["input"]["compat_override"]),
                         ("git", "IfNotPresent", False))
        # A plugin that is there already is asked about too.
        self.rule_for("engine.deploy_plugin", "allow")
        self.require_message(self.run_it(), greeting(self.plugin))
        self.rule_for("engine.deploy_plugin", "deny")
        self.require_failure(self.run_it(), 1, "the policy says no")

    def test_49_a_denied_step_runs_nothing(self):
        self.require_message(self.run_it(), greeting(self.plugin))
        self.plugin.take_marks()
        self.rule_for("engine.run_step", "deny")
        self.require_failure(self.run_it(), 3, "a policy has denied the step", "the policy says no")
        denied = self.call("--config", str(self.folder / "governance.yaml"), "--state-dir", str(self.state), "plugin", "run",
                           self.reference, "hello", "-i", str(self.write("input.yaml", "name: World\n")))
        self.require_failure(denied, 3, "the policy says no")
        self.assertEqual(self.plugin.take_marks(), [])
        record = self.decisions()[-1]
        self.assertEqual((record["action"], record["outcome"], record["actor"].split(":")[0]), ("engine.run_step", "deny", "cli"))
        # What a policy changes is what the plugin gets.
        self.rule_for("engine.run_step", "whole", change={"input": {"name": "Policy"}})
        result = self.run_it()
        self.assertEqual(result.code, 0, result)
        self.assertIn("Policy", result.message)
        self.rule_for("engine.run_step", "whole", change={"input": {"no": "such"}})
        self.require_failure(self.run_it(), 3, "does not fit")
        # An error of a policy counts as a denial.
        self.rule_for("engine.run_step", "raise")
        self.require_failure(self.run_it(), 3, "policy_failed")

    def test_50_policies_are_installed_although_deployments_are_denied(self):
        self.rule_for("engine.deploy_plugin", "deny")
        self.add_policy("acme.other:1-stable", more=[("code/other.txt", "another archive")])
        result = self.governance("update", "-f", str(self.write("map.json", json.dumps(
            {"add_node": {"policyRuleURI": "acme.other:1-stable", "parameters": {"do": "deny"}}}))))
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.cli_check("add_node").code, 3)
        # The administrator is not locked out.
        self.assertEqual(self.governance("set", "engine.deploy_plugin=").code, 0)
        self.require_message(self.run_it(), greeting(self.plugin))

    def test_a_denied_run_is_no_run(self):
        self.rule_for("engine.run_workflow", "deny")
        self.require_failure(self.run_it(), 1, "a policy has denied the run")

    def test_a_denied_cancelling(self):
        self.rule_for("engine.cancel", "deny")
        self.write_waiting_workflow(self.reference)
        running = self.start("-v", "--config", str(self.folder / "governance.yaml"), "--state-dir", str(self.state), "run",
                             "workflow.yaml")
        wait_until((self.folder / "started").exists, "the step", 120)
        running.send(signal.SIGINT)
        wait_until(lambda: [record for record in self.decisions() if record["action"] == "engine.cancel"], "the decision")
        time.sleep(0.5)
        self.assertIsNone(running.process.poll())
        (self.folder / "release").touch()
        result = running.finish()
        self.assertEqual(result.code, 0, result)
        self.assertIn("a policy has denied to cancel the run", result.err)
        # Allowed, it is as always.
        self.rule_for("engine.cancel", "allow")
        for name in ("started", "release"):
            (self.folder / name).unlink()
        running = self.start("-v", "--config", str(self.folder / "governance.yaml"), "--state-dir", str(self.state), "run",
                             "workflow.yaml")
        wait_until((self.folder / "started").exists, "the step", 120)
        running.send(signal.SIGINT)
        self.assertEqual(running.finish().code, 3)

    def test_pruning_removing_and_configuring(self):
        self.require_message(self.run_it(), greeting(self.plugin))
        common = ("--config", str(self.folder / "governance.yaml"), "--state-dir", str(self.state))
        self.rule_for("engine.prune_cache", "deny")
        self.rule_for("engine.remove_plugin", "deny")
        self.rule_for("engine.write_config", "deny")
        environments = set(self.environments())
        self.require_failure(self.call(*common, "cache", "prune", "--max-age", "0s"), 1, "the policy says no")
        self.require_failure(self.call(*common, "cache", "clear"), 1, "the policy says no")
        self.assertLessEqual(environments, set(self.environments()))  # those of the policies are more
        self.require_failure(self.call(*common, "init", "project"), 1, "the policy says no")
        self.assertFalse((self.folder / "project").exists())
        self.assertEqual(self.call(*common, "cache", "prune", "--dry-run").code, 0)
        for action in ("engine.prune_cache", "engine.remove_plugin", "engine.write_config"):
            self.assertEqual(self.governance("set", f"{action}=").code, 0)
        self.assertEqual(self.call(*common, "init", "project").code, 0)
        self.assertEqual(self.call(*common, "cache", "clear").code, 0)

    def test_without_the_key_nobody_governs(self):
        self.rule_for("engine.run_workflow", "deny")
        self.write_config("plain.yaml")
        result = self.call("--config", str(self.folder / "plain.yaml"), "--state-dir", str(self.state), "run", "workflow.yaml")
        self.require_message(result, greeting(self.plugin))


if __name__ == "__main__":
    main()
