// Which of the two faces answers (spec/command.md section 1), and the Go engine's flags (spec/workflow.md 1.1).
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace venvoy::cli {

struct GoFlags {
  std::string config;
  std::string input;
  std::string context = ".";
  std::string workflow = "workflow.yaml";
  bool get_namespaces = false;
  bool debug = false;
  bool version = false;
  bool help = false;
  std::vector<std::string> given;       // names of the flags that were read, in their order
  std::vector<std::string> positional;  // the Go engine passes over them
};

// The sentence of Go's flag package about what is wrong with a command line.
struct GoFlagError {
  std::string message;
};

// `arguments` without the program's name.
std::variant<GoFlags, GoFlagError> parse_go_flags(const std::vector<std::string>& arguments);

std::string go_usage(const std::string& program);

enum class Face {
  go,              // the Go engine's
  commands,        // our own
  misplaced_flag,  // a Go flag that is no common option, before a positional: a mistake
};

// `program` is argv[0].
Face choose_face(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace venvoy::cli
