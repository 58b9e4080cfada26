// Bodies of requests, their targets, and rule ids: what anybody may send to the daemon.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "expect.hpp"
#include "governance/actions.hpp"
#include "governance/rule_id.hpp"
#include "governance/rule_map.hpp"
#include "schema/json.hpp"
#include "server/request.hpp"
#include "server/routes.hpp"

namespace {

using namespace venvoy;

void check_id(std::string_view text) {
  try {
    const auto id = governance::RuleId::parse(text);
    fuzz::expect(id.text() == text, "an id is written as it was read");
    fuzz::expect(text.find('/') == text.npos && id.name.find("..") == std::string::npos, "an id is no path");
    fuzz::expect(governance::RuleId::parse(id.text()) == id, "an id is read as it was written");
  } catch (const Error& error) {
    fuzz::expect(error.code() == ErrorCode::usage, "what is refused is the id's fault");
  }
}

void check_target(std::string_view text) {
  server::HttpRequest request;
  if (!server::read_target(text, request)) return;
  request.method = "POST";
  if (const auto route = server::find_route(request))
    fuzz::expect(route->arguments.size() <= request.segments.size(), "an argument is a segment");
  for (const std::string& segment : request.segments)
    fuzz::expect(!segment.empty() && segment.find('\0') == std::string::npos, "a segment is a word");
}

void check_body(std::string_view text) {
  schema::Value body;
  try {
    body = schema::read_json(text, "body", {.max_bytes = 1 << 20, .max_depth = 100});
  } catch (const Error& error) {
    fuzz::expect(error.code() == ErrorCode::document || error.code() == ErrorCode::limit, "the body's fault");
    return;
  }
  for (const governance::Action& action : governance::all_actions()) {
    try {
      governance::check_input(action, body);
    } catch (const Error& error) {
      fuzz::expect(error.code() == ErrorCode::schema, "the input's fault");
    }
  }
  try {
    const governance::Update update = governance::read_update(body);
    governance::RuleMap map;
    const auto change = governance::apply(map, {}, update, "fuzz", "now");
    fuzz::expect(change.changed.size() == map.network.size(), "what is set is there");
    const auto again = governance::RuleMap::from_text(map.to_text(), "rules");
    fuzz::expect(again.to_text() == map.to_text(), "a rules file is read as it was written");
  } catch (const Error& error) {
    fuzz::expect(error.code() == ErrorCode::usage, "the update's fault");
  }
  try {
    static_cast<void>(governance::RuleMap::from_text(text, "rules"));
  } catch (const Error& error) {
    fuzz::expect(error.code() == ErrorCode::document, "the file's fault");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_id(text);
  check_target(text);
  check_body(text);
  return 0;
}
