// What a plugin says of itself (spec/protocol-and-schema.md section 5).
#include "schema/plugin_schema.hpp"

#include "schema_support.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::schema;
using namespace venvoy::schema::test;

namespace {

// Appendix A.1, vector 2: the `schema` of the hello of a one-step plugin.
const std::string hello =
    "{'steps': {'h': {'id': 'h', 'input': {'objects': {'I': {'id': 'I', 'properties': {'n': {'type': {'type_id': "
    "'string'}, 'display': {}, 'required': true}}}}, 'root': 'I'}, 'outputs': {'ok': {'schema': {'objects': {'O': "
    "{'id': "
    "'O', 'properties': {'m': {'type': {'type_id': 'string'}, 'display': {}, 'required': true}}}}, 'root': 'O'}, "
    "'error': "
    "false}}, 'display': {'name': 'H', 'description': 'D'}}}}";

ReadOptions lenient(std::vector<std::string>* warnings = nullptr) {
  ReadOptions options;
  options.origin = SchemaOrigin::plugin;
  if (warnings) options.warn = [warnings](const std::string& text) { warnings->push_back(text); };
  return options;
}

// A step whose `cancel` signal takes an object of this id and these properties.
std::shared_ptr<const PluginSchema> with_cancel(const std::string& object, const std::string& signal = "cancel") {
  return read_plugin_schema(
      from_json("{'steps': {'s': {'id': 's', 'input': {'root': 'A', 'objects': {'A': {'id': 'A', 'properties': {}}}}, "
                "'outputs': {}, 'signal_handlers': {'" +
                signal + "': {'id': '" + signal +
                "', 'data_schema': {'root': 'C', "
                "'objects': {'C': " +
                object + "}}}}, 'signal_emitters': {}}}}"),
      lenient());
}

}  // namespace

TEST_CASE("the hello of a small plugin is read", "[plugin_schema]") {
  std::vector<std::string> warnings;
  const auto schema = read_plugin_schema(from_json(hello), lenient(&warnings));
  CHECK(warnings.empty());
  CHECK(schema->step_ids() == std::vector<std::string>{"h"});
  const StepSchema* step = schema->find("h");
  REQUIRE(step);
  CHECK(step->id == "h");
  CHECK(step->display->name == "H");
  CHECK(object_of(step->input)->id == "I");
  REQUIRE(step->find_output("ok"));
  CHECK_FALSE(step->find_output("ok")->error);
  CHECK(object_of(step->find_output("ok")->data)->find("m"));
  CHECK(step->find_output("error") == nullptr);
  CHECK(schema->find("g") == nullptr);
  CHECK_FALSE(step->can_cancel());
  CHECK(unserialized(step->input, Map{{"n", "A"}}) == double_quoted("{'n':'A'}"));
  CHECK(write_plugin_schema(*schema) == from_json(hello));
}

TEST_CASE("a schema with everything is written as it was read", "[plugin_schema]") {
  const std::string scope =
      "{'root': 'A', 'objects': {'A': {'id': 'A', 'properties': {'r': {'type': {'type_id': 'ref', "
      "'id': 'A'}, 'required': false}}}}}";
  const Value written =
      from_json("{'steps': {'a': {'id': 'a', 'input': " + scope + ", 'outputs': {'success': {'schema': " + scope +
                ", 'error': false, 'display': {'name': 'S'}}, 'failed': {'schema': " + scope +
                ", 'error': true}}, 'signal_handlers': {'cancel': {'id': 'cancel', 'data_schema': " + scope +
                ", 'display': {'name': 'C'}}}, 'signal_emitters': {'tick': {'id': 'tick', 'data_schema': " + scope +
                "}}}, 'b': {'id': 'b', 'input': " + scope + ", 'outputs': {}}}}");
  const auto schema = read_plugin_schema(written, lenient());
  CHECK(write_plugin_schema(*schema) == written);
  CHECK(write_plugin_schema(*read_plugin_schema(write_plugin_schema(*schema), {})) == written);
  CHECK(schema->find("a")->find_output("failed")->error);
  CHECK(schema->find("a")->signal_emitters.front().first == "tick");
  // References of signals are linked like all others.
  const TypePtr& signal = schema->find("a")->find_signal_handler("cancel")->data;
  CHECK(unlinked_references(*signal).empty());
  CHECK(object_of(object_of(signal)->find("r")->type) == object_of(signal));
}

TEST_CASE("a plugin may have no steps", "[plugin_schema]") {
  CHECK(read_plugin_schema(from_json("{'steps': {}}"), lenient())->steps.empty());
}

TEST_CASE("a step can be cancelled if its signal takes an empty object", "[plugin_schema]") {
  const auto can_cancel = [](const std::string& object, const std::string& signal = "cancel") {
    return with_cancel(object, signal)->find("s")->can_cancel();
  };
  const auto with = [](const std::string& properties, const std::string& more = "") {
    return "{'id': 'C', 'properties': {" + properties + "}" + more + "}";
  };
  const std::string root_named = "{'id': 'cancelInput', 'properties': {}}";
  // The id of the root must be cancelInput, unless it is not enforced.
  CHECK_FALSE(can_cancel(with("")));
  CHECK(can_cancel(with("", ", 'id_unenforced': true")));
  CHECK_FALSE(can_cancel(with("'why': {'type': {'type_id': 'string'}}", ", 'id_unenforced': true")));
  CHECK(can_cancel(with("'why': {'type': {'type_id': 'string'}, 'required': false}", ", 'id_unenforced': true")));
  CHECK_FALSE(can_cancel(with("", ", 'id_unenforced': true"), "stop"));
  const auto named = read_plugin_schema(
      from_json("{'steps': {'s': {'id': 's', 'input': {'root': 'A', 'objects': {'A': {'id': 'A', 'properties': {}}}}, "
                "'outputs': {}, 'signal_handlers': {'cancel': {'id': 'cancel', 'data_schema': {'root': 'cancelInput', "
                "'objects': {'cancelInput': " +
                root_named + "}}}}}}}"),
      lenient());
  CHECK(named->find("s")->can_cancel());
}

TEST_CASE("an id that differs from its key is a warning", "[plugin_schema]") {
  std::vector<std::string> warnings;
  const auto schema = read_plugin_schema(
      from_json("{'steps': {'k': {'id': 'h', 'input': {'root': 'A', 'objects': {'A': {'id': 'A', 'properties': {}}}}, "
                "'outputs': {}, 'news': 5}}, 'more': {}}"),
      lenient(&warnings));
  CHECK(schema->find("k")->id == "k");
  CHECK(warnings ==
        std::vector<std::string>{"the unknown field 'more' is passed over",
                                 "'steps' -> '[k]': the unknown field 'news' is passed over",
                                 "'steps' -> '[k]' -> 'id': the id 'h' differs from the key 'k', which is used"});
}

TEST_CASE("everything wrong with a plugin's schema is reported", "[plugin_schema]") {
  const auto findings = [](const std::string& json) {
    return mismatches_of([&] { read_plugin_schema(from_json(json), lenient()); });
  };
  CHECK(findings("{}") == std::vector<std::string>{"Validation failed for 'steps': This field is required"});
  CHECK(findings("[]") ==
        std::vector<std::string>{"Validation failed: Must be a map to convert to object, list given"});
  CHECK(findings("{'steps': {'a b': {}}}") ==
        std::vector<std::string>{
            "Validation failed for 'steps' -> '{a b}': String 'a b' must match the pattern '^[$@a-zA-Z0-9-_]+$'"});
  CHECK(findings("{'steps': {'s': {'outputs': {'o': {'error': 'maybe'}}, 'signal_handlers': {'c': {'id': 'c', "
                 "'data_schema': {'root': 'A', 'objects': {'A': {'id': 'A', 'properties': {'r': {'type': {'type_id': "
                 "'ref', 'id': 'Z'}}}}}}}}}}}") ==
        std::vector<std::string>{
            "Validation failed for 'steps' -> '[s]' -> 'id': This field is required",
            "Validation failed for 'steps' -> '[s]' -> 'input': This field is required",
            "Validation failed for 'steps' -> '[s]' -> 'outputs' -> '[o]' -> 'schema': This field is required",
            "Validation failed for 'steps' -> '[s]' -> 'outputs' -> '[o]' -> 'error': 'maybe' is not a valid boolean "
            "value",
            "Validation failed for 'steps' -> '[s]' -> 'signal_handlers' -> '[c]' -> 'data_schema' -> 'objects' -> "
            "'[A]' -> "
            "'properties' -> '[r]' -> 'type': Referenced object 'Z' not found in scope with namespace \"\"; available: "
            "A"});
}
