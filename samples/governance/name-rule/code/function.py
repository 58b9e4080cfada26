"""Names follow a pattern: parameter `pattern`. It suits every action whose subject has an id or is one."""

import re

SUBJECTS = ("node_data", "node_id", "cluster_data", "cluster_id", "block_data")


class AIOSv1PolicyRule:
    def __init__(self, rule_id, settings, parameters):
        self.rule_id = rule_id

    def eval(self, parameters, input_data, context):
        pattern = parameters.get("pattern", "[a-z][a-z0-9-]*")
        subject = next((input_data[name] for name in SUBJECTS if name in input_data), "")
        name = subject.get("id", "") if isinstance(subject, dict) else subject
        if not re.fullmatch(pattern, str(name)):
            return {"allowed": False, "message": f"the name {name!r} does not follow the pattern {pattern}"}
        return {"allowed": True}
