// Text for people and machines that read it with a shell.
#pragma once

#include <string>
#include <string_view>

namespace venvoy {

// In single quotes: one word for a POSIX shell. bash, zsh and fish read them alike, but for a quote in them.
std::string shell_quoted(std::string_view text);

}  // namespace venvoy
