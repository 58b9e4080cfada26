// Which face answers, and how the Go engine's flags are read (spec/command.md section 1, spec/workflow.md 1.1).
#include "cli/face.hpp"

#include "support/catch.hpp"

namespace venvoy::cli {

std::ostream& operator<<(std::ostream& stream, Face face) {
  return stream << (face == Face::go ? "go" : face == Face::commands ? "commands" : "misplaced_flag");
}

namespace {

using Arguments = std::vector<std::string>;

std::string joined(const std::string& program, const Arguments& arguments) {
  std::string text = program;
  for (const std::string& argument : arguments) text += " [" + argument + "]";
  return text;
}

TEST_CASE("which face answers a command line") {
  struct Row {
    std::string program;
    Arguments arguments;
    Face face;
  };
  const std::vector<Row> rows = {
      // By its name it is the Go engine, whatever follows.
      {"arcaflow", {}, Face::go},
      {"/usr/bin/arcaflow", {"run", "workflow.yaml"}, Face::go},
      {"arcaflow", {"--help"}, Face::go},
      {"arcaflow", {"-nonsense"}, Face::go},
      // Flags of the Go engine and nothing else.
      {"venvoy", {"-input", "input.yaml"}, Face::go},
      {"venvoy", {"-input=input.yaml", "--workflow=other.yaml"}, Face::go},
      {"venvoy", {"--config", "c.yaml", "--context", "dir"}, Face::go},
      {"venvoy", {"-debug"}, Face::go},
      {"venvoy", {"-debug=false", "-get-namespaces"}, Face::go},
      {"venvoy", {"-version"}, Face::go},
      {"venvoy", {"--version", "--debug"}, Face::go},
      {"venvoy", {"-h", "-debug"}, Face::go},
      {"./build/venvoy", {"-workflow", "run"}, Face::go},  // "run" is the flag's value
      {"venvoy", {"-input", "-debug"}, Face::go},          // so is "-debug"
      // Ours.
      {"venvoy", {}, Face::commands},
      {"venvoy", {"-h"}, Face::commands},
      {"venvoy", {"--help"}, Face::commands},
      {"venvoy", {"--version"}, Face::commands},
      {"venvoy", {"run"}, Face::commands},
      {"venvoy", {"run", "-input", "input.yaml"}, Face::commands},
      {"venvoy", {"help"}, Face::commands},
      {"venvoy", {""}, Face::commands},
      {"venvoy", {"-"}, Face::commands},
      {"venvoy", {"--config", "c.yaml", "run"}, Face::commands},
      {"venvoy", {"--context=dir", "run", "-debug"}, Face::commands},
      {"venvoy", {"-v", "run"}, Face::commands},
      {"venvoy", {"--help", "run"}, Face::commands},
      {"venvoy", {"--config", "-debug", "run"}, Face::commands},  // a file of that name
      {"venvoy", {"--offline", "run", "w.yaml"}, Face::commands},
      {"venvoy", {"--log-level", "debug"}, Face::commands},
      {"venvoy", {"-input"}, Face::commands},        // no value: not the Go engine's, so a usage error of ours
      {"venvoy", {"-debug=maybe"}, Face::commands},  // the same
      {"venvoy", {"--bad", "--debug"}, Face::commands},
      // A Go flag that means nothing to us before a command: refused, never ignored.
      {"venvoy", {"-workflow", "other.yaml", "run"}, Face::misplaced_flag},
      {"venvoy", {"--workflow=other.yaml", "run"}, Face::misplaced_flag},
      {"venvoy", {"-debug", "run"}, Face::misplaced_flag},
      {"venvoy", {"--context", "dir", "-input", "i.yaml", "run"}, Face::misplaced_flag},
      {"venvoy", {"-debug", "--", "run"}, Face::misplaced_flag},
      {"venvoy", {"-version", "run"}, Face::misplaced_flag},
      {"venvoy", {"-workflow", "run", "run"}, Face::misplaced_flag},
      {"venvoy", {"-input", "run", "-debug", "run"}, Face::misplaced_flag},
      {"venvoy", {"--config", "run", "-debug", "run"}, Face::misplaced_flag},
  };
  for (const Row& row : rows) {
    INFO(joined(row.program, row.arguments));
    CHECK(choose_face(row.program, row.arguments) == row.face);
  }
}

// The flags that differ from their defaults, "flag=value" joined with a blank.
std::string told(const GoFlags& flags) {
  std::string text;
  const auto add = [&](const std::string& word) { text += (text.empty() ? "" : " ") + word; };
  if (!flags.config.empty()) add("config=" + flags.config);
  if (!flags.input.empty()) add("input=" + flags.input);
  if (flags.context != ".") add("context=" + flags.context);
  if (flags.workflow != "workflow.yaml") add("workflow=" + flags.workflow);
  if (flags.get_namespaces) add("get-namespaces");
  if (flags.debug) add("debug");
  if (flags.version) add("version");
  if (flags.help) add("help");
  for (const std::string& word : flags.positional) add("[" + word + "]");
  return text;
}

TEST_CASE("flags are read as Go's flag package reads them") {
  struct Row {
    Arguments arguments;
    std::string expected;  // as told(), or "error: message"
  };
  const std::vector<Row> rows = {
      {{}, ""},
      {{"-input", "a.yaml"}, "input=a.yaml"},
      {{"--input", "a.yaml"}, "input=a.yaml"},
      {{"-input=a.yaml"}, "input=a.yaml"},
      {{"--input=a.yaml"}, "input=a.yaml"},
      {{"-input="}, ""},
      {{"-input", ""}, ""},
      {{"-input=a=b"}, "input=a=b"},
      {{"-input", "-debug"}, "input=-debug"},
      {{"-input", "--"}, "input=--"},
      {{"-input", "a", "-input", "b"}, "input=b"},
      {{"-config", "c", "-context", "d", "-workflow", "w"}, "config=c context=d workflow=w"},
      {{"-debug"}, "debug"},
      {{"--debug", "-get-namespaces", "-version"}, "get-namespaces debug version"},
      {{"-debug=true"}, "debug"},
      {{"-debug=1", "-version=t", "-get-namespaces=T"}, "get-namespaces debug version"},
      {{"-debug=TRUE", "-version=True"}, "debug version"},
      {{"-debug", "-debug=false"}, ""},
      {{"-debug=0", "-version=f", "-get-namespaces=F"}, ""},
      {{"-debug=FALSE", "-version=False"}, ""},
      {{"-debug", "false"}, "debug [false]"},  // a boolean takes no word after it
      {{"-debug", "word", "-version"}, "debug [word] [-version]"},
      {{"--", "-debug"}, "[-debug]"},
      {{"-debug", "--", "-version"}, "debug [-version]"},
      {{"-"}, "[-]"},
      {{""}, "[]"},
      {{"-h"}, "help"},
      {{"--help", "-nonsense"}, "help [-nonsense]"},
      {{"-nonsense"}, "error: flag provided but not defined: -nonsense"},
      {{"--nonsense=1"}, "error: flag provided but not defined: -nonsense"},
      {{"-inputs", "a"}, "error: flag provided but not defined: -inputs"},
      {{"-v"}, "error: flag provided but not defined: -v"},
      {{"-input"}, "error: flag needs an argument: -input"},
      {{"-debug", "--workflow"}, "error: flag needs an argument: -workflow"},
      {{"-debug=maybe"}, "error: invalid boolean value \"maybe\" for -debug: parse error"},
      {{"-debug="}, "error: invalid boolean value \"\" for -debug: parse error"},
      {{"---input", "a"}, "error: bad flag syntax: ---input"},
      {{"-=a"}, "error: bad flag syntax: -=a"},
      {{"--=a"}, "error: bad flag syntax: --=a"},
  };
  for (const Row& row : rows) {
    INFO(joined("", row.arguments));
    const auto parsed = parse_go_flags(row.arguments);
    const auto* wrong = std::get_if<GoFlagError>(&parsed);
    CHECK((wrong ? "error: " + wrong->message : told(std::get<GoFlags>(parsed))) == row.expected);
  }
}

TEST_CASE("the Go engine's usage text names every flag with its default") {
  const std::string text = go_usage("arcaflow");
  CHECK(text.substr(0, 26) == "Usage: arcaflow [OPTIONS]\n");
  CHECK_THAT(text, Catch::ContainsSubstring("  -config string\n    \tThe path"));
  CHECK_THAT(text, Catch::ContainsSubstring("  -context string\n") && Catch::ContainsSubstring("(default \".\")"));
  CHECK_THAT(text, Catch::ContainsSubstring("  -debug\n    \t"));
  CHECK_THAT(text, Catch::ContainsSubstring("(default \"workflow.yaml\")"));
}

}  // namespace
}  // namespace venvoy::cli
