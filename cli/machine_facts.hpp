// What a report says of the machine.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace venvoy::cli {

std::string host_name();

// Names and values, for people.
std::vector<std::pair<std::string, std::string>> machine_facts();

}  // namespace venvoy::cli
