"""venvoy expr: values, types, and errors that show where in the expression they stand (spec/command.md section 2)."""

import json

import harness
from harness import FunctionalTest

DATA = """\
name: World
count: 7
ratio: 1.5
on: true
items: [1, 2, 3]
by_number: {1: one, 2: two}
place: {x: 1, label: here}
nothing: null
"""


class ExprTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write("data.yaml", DATA)

    def expr(self, *arguments):
        return self.call("expr", *arguments)

    def test_values(self):
        for expression, value in (
            ('$.name + "!"', "World!"),
            ("$.count * 2 + 1", 15),
            ("$.count > 5 && $.on", True),
            ("$.items[1]", 2),
            ("$.by_number[2]", "two"),
            ("$.place", {"x": 1, "label": "here"}),
            ("intToString($.count)", "7"),
            ("$.ratio * 2.0", 3.0),
        ):
            result = self.expr(expression, "--data", "data.yaml", "--output", "json")
            self.assertEqual(result.code, 0, result)
            found = json.loads(result.out)
            self.assertEqual((found, type(found)), (value, type(value)), result)
            self.assertEqual(result.err, "", result)

    def test_yaml_is_the_default_form_and_data_may_be_json(self):
        self.write("data.json", '{"place": {"x": 1}}')
        result = self.expr("$.place", "--data", "data.json")
        self.assertEqual((result.code, result.out), (0, "x: 1\n"), result)

    def test_without_data(self):
        self.assertEqual(self.expr("1 + 2").out, "3\n")
        result = self.expr("$.name")
        self.require_failure(result, 1, "name")

    def test_an_expression_that_begins_with_a_minus(self):
        self.assertEqual(self.expr("--data", "data.yaml", "--", "-$.count").out, "-7\n")

    def test_types(self):
        for expression, type_id in (
            ("$.count", "integer"),
            ("$.name", "string"),
            ("$.count > 5", "bool"),
            ("$.ratio", "float"),
            ("$.items", "list"),
            ("$.by_number", "map"),
            ("$.place", "object"),
            ("$.nothing", "any"),
            ("intToString($.count)", "string"),
        ):
            result = self.expr(expression, "--data", "data.yaml", "--type")
            self.assertEqual(result.code, 0, result)
            self.assertEqual(result.output["type_id"], type_id, result)
        # Without data everything may be there.
        self.assertEqual(self.expr("$.whatever", "--type").output, {"type_id": "any"})

    def test_errors_have_a_caret_under_their_place(self):
        for expression, column, words in (
            ("$.count +", 10, "parse"),
            ("1 + $.nam", 7, "nam"),
            ('"ä" + $.nam', 9, "nam"),
            ("1 / ($.count - 7)", None, "zero"),
        ):
            result = self.expr(expression, "--data", "data.yaml")
            self.require_failure(result, 1, words, expression)
            lines = result.err.splitlines()
            shown = next(index for index, line in enumerate(lines) if line.startswith("1 | "))
            self.assertEqual(lines[shown], "1 | " + expression)
            self.assertRegex(lines[shown + 1], r"^  \| +\^$|^  \| \^$", result)
            if column:
                self.assertEqual(lines[shown + 1].index("^") - 3, column, result)
                self.assertIn(f"<expression>:1:{column}", result.err)

    def test_a_type_error_has_a_caret_too(self):
        result = self.expr('$.count + "x"', "--data", "data.yaml", "--type")
        self.require_failure(result, 1, "<expression>:1:", "^")

    def test_an_error_in_the_second_line(self):
        result = self.expr("1 +\n  $.nam", "--data", "data.yaml")
        self.require_failure(result, 1, "<expression>:2:5", "2 |   $.nam")

    def test_surprising_rules_are_told(self):
        result = self.expr("2 ^ 3 ^ 2")
        self.assertEqual(result.code, 0, result)
        self.assertIn("warning", result.err)
        self.assertEqual(self.expr("-q", "2 ^ 3 ^ 2").err, "")

    def test_files_and_usage(self):
        self.require_failure(self.expr("$.a", "--data", "missing.yaml"), 1, "missing.yaml")
        self.write("bad.yaml", "a: [1\n")
        self.require_failure(self.expr("$.a", "--data", "bad.yaml"), 1, "bad.yaml:")
        self.assertEqual(self.expr().code, 2)
        self.assertEqual(self.expr("1", "--nonsense").code, 2)
        result = self.expr("--help")
        self.assertEqual(result.code, 0)
        self.assertIn("Example: venvoy expr ", result.out)


if __name__ == "__main__":
    harness.main()
