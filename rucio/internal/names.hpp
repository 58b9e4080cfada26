// Names of distributions and of Kubernetes objects.
#pragma once

#include <string>
#include <string_view>

namespace venvoy::rucio {

// The one form for all spellings of a distribution's name (PEP 503).
std::string normalised_name(std::string_view name);

// Lower-case letters, digits and '-', not longer than Kubernetes takes; other symbols become '-'.
std::string object_name(std::string_view name);

}  // namespace venvoy::rucio
