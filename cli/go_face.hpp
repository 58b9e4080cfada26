// The Go engine's command line (spec/workflow.md section 1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace venvoy::cli {

// `program` is argv[0], `arguments` the rest; `child_file_limit` as in api::RuntimeOptions. Returns the exit code.
int run_go_face(const std::string& program, const std::vector<std::string>& arguments, std::uint64_t child_file_limit);

}  // namespace venvoy::cli
