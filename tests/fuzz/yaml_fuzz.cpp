// A YAML document: as data, and as a workflow.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "expect.hpp"
#include "schema/yaml.hpp"
#include "schema/yaml_writer.hpp"
#include "workflow/document.hpp"

namespace {

using namespace venvoy;

// Smaller than those of the program: a fuzzer has no use for a document that takes a second.
constexpr schema::YamlLimits limits{.max_bytes = 1u << 20, .max_nodes = 20'000, .max_depth = 200};

std::optional<schema::YamlNode> read(std::string_view text) {
  try {
    return schema::read_yaml(text, "fuzz.yaml", limits);
  } catch (const Error& error) {
    fuzz::expect(error.code() == ErrorCode::document || error.code() == ErrorCode::limit,
                 "what is refused is the document's fault");
    return std::nullopt;
  }
}

// Nothing when a tag or number makes no sense.
std::optional<schema::Value> typed(const schema::YamlNode& node) {
  try {
    return schema::to_typed_value(node, "fuzz.yaml");
  } catch (const Error&) {
    return std::nullopt;
  }
}

void check_round_trip(const schema::Value& value) {
  const std::string written = schema::write_yaml(value);
  const auto node = read(written);
  fuzz::expect(node.has_value(), "what was written can be read");
  const auto again = typed(*node);
  fuzz::expect(again.has_value(), "what was written has a value");
  fuzz::expect(schema::write_yaml(*again) == written, "what was written, read and written again is the same");
}

void read_workflow(std::string_view text) {
  const workflow::ParsedDocument parsed = workflow::parse_document(std::string(text), "fuzz.yaml");
  fuzz::expect(parsed.document || has_errors(parsed.issues), "a document or a reason");
  if (!parsed.document) return;
  Issues issues;
  for (const workflow::DocStep& step : parsed.document->steps) {
    workflow::plugin_of(*parsed.document, step, issues);
    workflow::step_keys(step.kind);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto node = read(text);
  // A document beyond these limits, which are lower than its own, would be read at length as a workflow.
  if (!node) return 0;
  schema::to_text_value(*node);
  if (const auto value = typed(*node)) check_round_trip(*value);
  read_workflow(text);
  return 0;
}
