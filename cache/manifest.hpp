// What the maker of a directory writes down about it.
#pragma once

#include <nlohmann/json.hpp>

namespace venvoy::cache {

// The store adds the key's inputs, the time and the list of files; see internal/ready_file.hpp.
struct Manifest {
  // Handed back by Lease::details() as it is here; bytes that are not UTF-8 are replaced. No secrets.
  nlohmann::json details = nlohmann::json::object();
};

}  // namespace venvoy::cache
