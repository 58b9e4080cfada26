// From a path in data back to the place in the file that the data was read from.
#pragma once

#include "schema/check.hpp"
#include "schema/yaml.hpp"

namespace venvoy::schema {

// The node that the path of a mismatch leads to, or the nearest one above it.
const YamlNode& locate(const YamlNode& root, const Path& path);

}  // namespace venvoy::schema
