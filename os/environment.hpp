// Environments of processes, and programs in PATH.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace venvoy::os {

// "NAME=value" lines, in the form that ChildSpec takes.
using Environment = std::vector<std::string>;

// A copy of this process's environment.
Environment current_environment();
// Sets or replaces a variable.
void set_variable(Environment& environment, std::string_view name, std::string_view value);
void unset_variable(Environment& environment, std::string_view name);
std::optional<std::string> get_variable(const Environment& environment, std::string_view name);

// The first executable regular file of that name in the folders of PATH; a name with a '/' stands for itself. Nothing
// if there is none.
std::optional<std::filesystem::path> find_program(std::string_view name, const Environment& environment);

}  // namespace venvoy::os
