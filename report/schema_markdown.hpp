// A plugin's schema as a reference text for people.
#pragma once

#include <string>

#include "schema/plugin_schema.hpp"

namespace venvoy::report {

// CommonMark with tables, ending with a line feed. `title` names the plugin. Everything from the schema is escaped: it
// cannot become markup.
std::string schema_markdown(const schema::PluginSchema& plugin, const std::string& title);

// The type as one phrase: "integer, 0 to 100, with units (B, kB)", "list of `Place`".
std::string type_phrase(const schema::TypePtr& type);

}  // namespace venvoy::report
