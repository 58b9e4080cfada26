// The schema in a plugin's hello: CBOR, then the schema language, then what is done with a schema that was read.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "atp/cbor.hpp"
#include "base/error.hpp"
#include "expect.hpp"
#include "report/schema_json.hpp"
#include "report/schema_markdown.hpp"
#include "schema/check.hpp"
#include "schema/plugin_schema.hpp"

namespace {

using namespace venvoy;

std::optional<schema::Value> first_item(std::span<const std::byte> bytes) {
  atp::CborReader reader;
  try {
    reader.feed(bytes);
    return reader.next();
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::shared_ptr<const schema::PluginSchema> read(const schema::Value& data) {
  schema::ReadOptions options;
  options.origin = schema::SchemaOrigin::plugin;
  options.warn = [](const std::string& text) { fuzz::expect(!text.empty(), "a warning says something"); };
  try {
    return schema::read_plugin_schema(data, options);
  } catch (const schema::MismatchError& error) {
    fuzz::expect(!error.mismatches().empty(), "a refusal says why");
    return nullptr;
  }
}

// Data never crashes a check, whatever the type.
void give(const schema::Type& type, const schema::Value& data) {
  try {
    const schema::Value read = schema::unserialize(type, data);
    schema::serialize(type, read);
  } catch (const schema::MismatchError&) {
  }
}

void use(const schema::PluginSchema& plugin, const schema::Value& data) {
  for (const auto& [id, step] : plugin.steps) {
    give(*step.input, schema::Map());
    give(*step.input, "5");
    give(*step.input, data);
    schema::incompatibilities(*step.input, *step.input);
    step.can_cancel();
    for (const auto& [output_id, output] : step.outputs) schema::incompatibilities(*step.input, *output.data);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto item = first_item(std::as_bytes(std::span(data, size)));
  if (!item) return 0;
  const schema::Value* inside = item->find("schema");
  const schema::Value& schema = inside ? *inside : *item;
  const auto plugin = read(schema);
  if (!plugin) return 0;
  use(*plugin, schema);
  report::json_schema(*plugin, {});
  report::schema_markdown(*plugin, "plugin");
  const schema::Value written = schema::write_plugin_schema(*plugin);
  const auto again = read(written);
  fuzz::expect(again != nullptr, "what was written is a schema");
  fuzz::expect(atp::encode(schema::write_plugin_schema(*again)) == atp::encode(written),
               "a schema written, read and written again is the same");
  return 0;
}
