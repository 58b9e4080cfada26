#!/usr/bin/env python3
"""No `{`, `[`, `?` or `throw` in a statement with co_await.

g++ 12 destroys temporaries of a co_await expression twice when they are aggregates, capturing lambdas, braced lists or
arms of ?:, and frees what is thrown before it is there (docs/architecture.md, "Coroutines"). So such things are built
on the line before.

    co_await_rule.py [FILE…]       without files: all sources that git knows
    co_await_rule.py --self-test
"""

import re
import subprocess
import sys

TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'"""
    r"""|[A-Za-z_]\w*|\d[\w.']*|->|::|\S|\n""",
    re.S,
)
# What may stand before the brace of a block; after any other word a brace begins a braced list.
BLOCK_WORDS = {"else", "do", "try", "const", "noexcept", "override", "final", "mutable"}
HEAD_WORDS = {"namespace", "class", "struct", "enum", "union", "extern"}
FORBIDDEN = {"{", "[", "?", "throw"}
CLOSING = {"(": ")", "[": "]", "{": "}"}


class Group:
    """A bracket with what is in it: tokens as (text, line), and further groups."""

    def __init__(self, opening, line, block):
        self.opening, self.line, self.block, self.items = opening, line, block, []


def tokens(text):
    line = 1
    for match in TOKEN.finditer(text):
        token = match.group()
        if not token.startswith(("//", "/*")) and token != "\n":
            yield token, line
        line += token.count("\n")


def begins_block(statement, previous):
    """Whether a brace after these items of its statement begins a block."""
    if previous in BLOCK_WORDS or previous in {"", ")", "}", ";", "{", ":"}:
        return True
    words = [item[0] for item in statement if not isinstance(item, Group)]
    if "->" in words and words[-1] in {">", "void", "bool", "int", "auto"}:
        return True
    return any(word in HEAD_WORDS for word in words[:2])


def parse(text):
    root = Group("{", 0, True)
    stack, previous = [root], ""
    for token, line in tokens(text):
        if token in CLOSING:
            block = token == "{" and begins_block(last_statement(stack[-1]), previous)
            group = Group(token, line, block)
            stack[-1].items.append(group)
            stack.append(group)
        elif token in ")]}" and len(stack) > 1:
            stack.pop()
        else:
            stack[-1].items.append((token, line))
        previous = token
    return root


def is_end(item):
    return item.block if isinstance(item, Group) else item[0] == ";"


def last_statement(group):
    items = []
    for item in reversed(group.items):
        if is_end(item):
            break
        items.insert(0, item)
    return items


def flat(items):
    """The tokens of a statement with those in its brackets; blocks are statements of their own."""
    for item in items:
        if not isinstance(item, Group):
            yield item
        else:
            yield item.opening, item.line
            if not item.block:
                yield from flat(item.items)


def violations(text):
    """Yields (line, token) for each forbidden token in a statement with co_await."""
    todo = [parse(text)]
    while todo:
        group = todo.pop()
        todo += [item for item in group.items if isinstance(item, Group)]
        if not group.block:
            continue
        statement = []
        for item in [*group.items, (";", 0)]:
            if not is_end(item):
                statement.append(item)
                continue
            inside = list(flat(statement))
            if any(token == "co_await" for token, _ in inside):
                yield from ((line, token) for token, line in inside if token in FORBIDDEN)
            statement = []


GOOD = """
asio::awaitable<void> f() {
  while (!done) co_await change.wait();
  if (x) {
    co_await f();
  }
  for (auto& item : list) { co_await g(std::move(item)); }
  const auto lambda = [this] { wake(); };
  Background<int> b(executor, g(), lambda);
  T v = co_await g(name, 3, "text [with] {signs}?");
}
"""
BAD = [
    "void f() { co_await g(Options{1}); }",
    "void f() { co_await g({1, 2}); }",
    "void f() { co_await g([this] { return 1; }); }",
    "void f() { co_await (x ? g() : h()); }",
    "void f() { T v{co_await g()}; }",
    "void f() { auto v = co_await list[3].g(); }",
    "void f() { throw co_await g(); }",
]


def self_test():
    assert not list(violations(GOOD)), list(violations(GOOD))
    for text in BAD:
        assert list(violations(text)), text
    print("co_await_rule: self-test passed")


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    files = arguments or subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.cpp", "*.hpp"], check=True, capture_output=True, text=True
    ).stdout.split()
    found = 0
    for name in files:
        with open(name, encoding="utf-8") as file:
            text = file.read()
        if "co_await" not in text:
            continue
        for line, token in violations(text):
            found += 1
            print(f"{name}:{line}: '{token}' in a statement with co_await; build it on the line before")
    print(f"co_await_rule: {len(files)} files, {found} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
