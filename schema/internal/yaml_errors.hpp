// The errors of reading YAML, each with its sentence.
#pragma once

#include <string>
#include <string_view>

#include <yaml-cpp/exceptions.h>

#include "base/error.hpp"
#include "base/position.hpp"
#include "schema/yaml.hpp"

namespace venvoy::schema {

// A message of our own in yaml-cpp's exception.
inline constexpr const char* more_text_follows = "the document has ended, but more text follows";

Error invalid_yaml(std::string_view what, Position position);
Error too_deep(const YamlLimits& limits, Position position);
Error too_many_nodes(const YamlLimits& limits, Position position);

// What yaml-cpp found wrong, in words for people who don't know its tokens.
Error syntax_error(const YAML::Exception& exception, std::string_view text, const std::string& file);

}  // namespace venvoy::schema
