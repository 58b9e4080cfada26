// The words that lines and the live display have in common.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "workflow/run_observer.hpp"

namespace venvoy::report::internal {

// "greet", of an item of a loop "greet[2.0]".
std::string step_text(const workflow::StepName& name);

// "3 of 10", and "3" where the whole is not known (0).
std::string counted(std::uint64_t done, std::uint64_t total);

std::string_view first_line(std::string_view text);

// What a reference is called once it is resolved: its name, and the first digits of the commit or version it turned out
// to mean. The version may be empty: then as module_label.
std::string resolved_label(std::string_view reference, std::string_view version);

// Whether the reference itself says this version.
bool names_version(std::string_view reference, std::string_view version);

// " after 1.2 s: why" and the like: how a step has ended. `time` is empty for one that never began.
std::string ending_text(const workflow::StepFinished& event, const std::string& time);

}  // namespace venvoy::report::internal
