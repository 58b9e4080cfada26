// How a text is written in YAML so that Go's yaml.v3 would write the same bytes (spec/workflow.md 1.5).
#pragma once

#include <string>
#include <string_view>

namespace venvoy::schema {

enum class ScalarForm { plain, single_quoted, double_quoted, literal };

// The form of a string. A literal is no form for a key that stands before its colon; those have no line feeds.
ScalarForm form_of_text(std::string_view text);

// Whether a key is written behind a `?`: it has line breaks, or more than 128 bytes with its tag.
bool needs_question_mark(std::string_view text, std::string_view tag = {});

// Append the text in quotes.
void append_single_quoted(std::string& out, std::string_view text);
void append_double_quoted(std::string& out, std::string_view text);

}  // namespace venvoy::schema
