// The hellos of real versions of the Python SDK, recorded from the plugin in tests/functional/plugins/sdk.
#include <fstream>
#include <iterator>

#include "atp/cbor.hpp"
#include "atp/messages.hpp"
#include "base/error.hpp"
#include "hex.hpp"
#include "schema/check.hpp"
#include "schema/plugin_schema.hpp"
#include "session.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::atp;
using namespace venvoy::test;
using schema::List;
using schema::Map;
using schema::Value;

namespace {

Value recorded_hello(const std::string& version) {
  std::ifstream file(std::string(VENVOY_TEST_DATA) + "/atp/hello-sdk-" + version + ".cbor", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  REQUIRE_FALSE(bytes.empty());
  CborReader reader({}, CborReader::Expect::message);
  reader.feed(bytes_of(bytes));
  const auto hello = reader.next();
  REQUIRE(hello);
  return *hello;
}

}  // namespace

TEST_CASE("the hellos of the SDK's versions are read") {
  struct Row {
    const char* sdk;
    Version version;
  };
  const Row rows[] = {{"0.10.3", Version::one},
                      {"0.12.0", Version::three},
                      {"0.13.0", Version::three},
                      {"0.14.3", Version::three},
                      {"0.14.5", Version::three}};
  for (const Row& row : rows) {
    CAPTURE(row.sdk);
    const Hello hello = decode_hello(recorded_hello(row.sdk), Logger());
    CHECK(hello.version == row.version);
    std::vector<std::string> warnings;
    schema::ReadOptions options;
    options.origin = schema::SchemaOrigin::plugin;
    options.warn = [&](const std::string& text) { warnings.push_back(text); };
    const auto plugin = schema::read_plugin_schema(hello.schema, options);
    CHECK(warnings.empty());
    REQUIRE(plugin->find("echo"));
    const schema::StepSchema& echo = *plugin->find("echo");
    CHECK(echo.outputs.size() == 2);
    const Value data = unserialize(*echo.input, Map{{"name", "World"},
                                                    {"color", "red"},
                                                    {"by_number", Map{{"1", "one"}}},
                                                    {"points", List{Map{{"x", "5"}}}},
                                                    {"shape", Map{{"shape", "circle"}, {"radius", 1}}}});
    CHECK(*data.find("by_number") == Value(Map{{1, "one"}}));
    CHECK(data.find("shape")->find("radius")->as_float() == 1.0);
    CHECK(*data.find("points") == Value(List{Map{{"x", 5}, {"y", 0.5}}}));
    CHECK_THROWS_AS(unserialize(*echo.input, Map{{"name", "world"}}), schema::MismatchError);
  }
}

TEST_CASE("the hello of SDK 0.11 is refused with what to do") {
  try {
    decode_hello(recorded_hello("0.11.0"), Logger());
    FAIL("it was read");
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Catch::ContainsSubstring("unsupported atp version '2'"));
    CHECK_THAT(error.hint(), Catch::ContainsSubstring("arcaflow-plugin-sdk 0.12 or newer"));
  }
}
