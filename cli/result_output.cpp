#include "cli/result_output.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/version.hpp"
#include "schema/json.hpp"
#include "schema/yaml_writer.hpp"

namespace venvoy::cli {

std::string data_document(const schema::Value& data, OutputForm form) {
  if (form == OutputForm::json) return schema::write_json(data, {.indent = 2, .sort_keys = true}) + "\n";
  return schema::write_yaml(data);
}

std::string result_document(const workflow::RunResult& result, OutputForm form) {
  schema::Map document;
  document.insert("output_data", result.output_data);
  document.insert("output_id", result.output_id);
  return data_document(document, form);
}

std::string namespace_table_text(const std::vector<workflow::NamespaceRow>& rows) {
  if (rows.empty()) return {};
  constexpr std::size_t gap = 3;
  std::size_t width = std::string_view("OBJECT").size();
  for (const workflow::NamespaceRow& row : rows) width = std::max(width, row.object.size() + 1);
  width += gap;
  std::string text = fmt::format("{:<{}}NAMESPACE{:{}}\n", "OBJECT", width, "", gap);
  for (const workflow::NamespaceRow& row : rows) text += fmt::format("{:<{}} {}\n", row.object, width, row.name_space);
  return text;
}

std::string go_version_block() {
  return fmt::format(
      "Arcaflow Engine\n===============\nVersion: {}\nCommit: {}\nDate: {}\nApache 2.0 license\n"
      "Copyright (c) Arcalot Contributors\n",
      version_text, "unknown", "unknown");
}

}  // namespace venvoy::cli
