#include "contract/verdict.hpp"

#include <array>
#include <utility>

#include "base/error.hpp"
#include "schema/json.hpp"

namespace venvoy::contract {
namespace {

constexpr std::array<std::pair<Verdict::Kind, std::string_view>, 3> kinds = {{
    {Verdict::Kind::kept, "kept"},
    {Verdict::Kind::missing, "missing"},
    {Verdict::Kind::unreadable, "unreadable"},
}};

}  // namespace

std::string to_record(const Verdict& verdict) {
  schema::Map record;
  for (const auto& [kind, name] : kinds)
    if (kind == verdict.kind) record.insert("kind", name);
  record.insert("evidence", verdict.evidence);
  return schema::write_json(record, {.indent = 0}) + "\n";
}

std::optional<Verdict> from_record(std::string_view record) {
  try {
    const schema::Value data = schema::read_json(record);
    const schema::Value* kind_text = data.find("kind");
    const schema::Value* evidence = data.find("evidence");
    if (!kind_text || !evidence || kind_text->kind() != schema::Kind::text || evidence->kind() != schema::Kind::text)
      return std::nullopt;
    for (const auto& [kind, name] : kinds)
      if (name == kind_text->as_text()) return Verdict{kind, evidence->as_text()};
  } catch (const Error&) {
    // A record that cannot be read is one that is not there; the verdict is made again.
  }
  return std::nullopt;
}

}  // namespace venvoy::contract
