"""A plugin that tells its secrets, and workflows that give it some: for the tests of what a run leaves."""

from harness import HERE, TinyPlugin

HEAD = """\
version: v0.2.0
input:
  root: Input
  objects:
    Input:
      id: Input
      properties:
        name: {type: {type_id: string}, required: false}
        password: {type: {type_id: string}, required: false}
        list:
          type: {type_id: list, items: {type_id: object, id: Item, properties: {n: {type: {type_id: integer}}}}}
          required: false
"""


class SpillPlugin(TinyPlugin):
    def __init__(self, folder, **settings):
        super().__init__(folder, **settings)
        self.write("tiny_plugin/__main__.py", (HERE / "plugins" / "spill" / "__main__.py").read_text())
        self.commit()

    def step(self, key, step, step_input, more=""):
        return f"""\
  {key}:
    plugin: {{deployment_type: python, src: "{self.reference()}"}}
    step: {step}
    input: {step_input}
{more}"""


def workflow(*steps, outputs):
    return HEAD + "steps:\n" + "".join(steps) + "outputs:\n" + outputs
