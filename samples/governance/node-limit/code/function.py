"""A cluster may have so many nodes: parameter `max_nodes`. A node without a label gets one."""


class AIOSv1PolicyRule:
    def __init__(self, rule_id, settings, parameters):
        self.rule_id = rule_id

    def eval(self, parameters, input_data, context):
        limit = parameters.get("max_nodes", 10)
        nodes = input_data.get("cluster_metrics", {}).get("nodes", 0)
        if nodes >= limit:
            return {"allowed": False, "message": f"the cluster has {nodes} nodes, and {limit} are allowed"}
        node = dict(input_data["node_data"])
        node.setdefault("label", "new")
        # The whole input comes back; only the node is taken from it.
        return {"allowed": True, "input_data": {**input_data, "node_data": node}}
