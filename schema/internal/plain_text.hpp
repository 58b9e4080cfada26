// Which texts must not stand in YAML without quotes, since they would be read back as something else.
#pragma once

#include <string_view>

namespace venvoy::schema {

// Whether a plain scalar is a text for readers of the core schema (YAML 1.2) and for Go's yaml.v3 as well, which knows
// also timestamps, `_` between digits, `0b1` and `017`. What only YAML 1.1 takes for something else (`yes`, `1:30`,
// `=`,
// `<<`) counts as text, as spec/workflow.md 1.5 says.
bool is_text_when_plain(std::string_view text);

}  // namespace venvoy::schema
