#include "cache/key.hpp"

#include <set>

#include "base/sha256.hpp"
#include "cache/internal/file_names.hpp"
#include "support/catch.hpp"

using namespace venvoy::cache;

TEST_CASE("a key stays the same from release to release") {
  const Key key = KeyBuilder{}
                      .add("url", "https://example.org/plugin.git")
                      .add("commit", "a34551a4dd2e2d0e2ef4a2a0d0b5ab4b1fbc4b0b")
                      .add("subdirectory", "")
                      .finish();
  CHECK(key.hex() == venvoy::sha256_hex("6:layout,1:1,"
                                        "3:url,30:https://example.org/plugin.git,"
                                        "6:commit,40:a34551a4dd2e2d0e2ef4a2a0d0b5ab4b1fbc4b0b,"
                                        "12:subdirectory,0:,"));
  CHECK(key.hex() == "4f8b46edacb71ec6ea7c50261417a140e2ea79a9b670957635438e7c36d29a4f");
  CHECK(key.inputs() == KeyInputs{{"layout", "1"},
                                  {"url", "https://example.org/plugin.git"},
                                  {"commit", "a34551a4dd2e2d0e2ef4a2a0d0b5ab4b1fbc4b0b"},
                                  {"subdirectory", ""}});
}

TEST_CASE("no two lists of inputs have one key") {
  const std::vector<KeyInputs> lists = {
      {},
      {{"a", "b"}},
      {{"ab", ""}},
      {{"", "ab"}},
      {{"b", "a"}},
      {{"a", "b"}, {"c", "d"}},
      {{"c", "d"}, {"a", "b"}},
      {{"a", "b,1:c,1:d"}},
      {{"a", "b"}, {"a", "b"}},
      {{"a", std::string("b\0", 2)}},
      {{"layout", "1"}},
  };
  std::set<std::string> keys;
  for (const KeyInputs& list : lists) {
    KeyBuilder builder;
    for (const auto& [name, value] : list) builder.add(name, value);
    keys.insert(builder.finish().hex());
  }
  CHECK(keys.size() == lists.size());
}

TEST_CASE("a key can be typed") {
  const Key key = KeyBuilder{}.add("a", "b").finish();
  const auto typed = Key::from_hex(key.hex());
  REQUIRE(typed);
  CHECK(*typed == key);
  CHECK(typed->inputs().empty());
  CHECK_FALSE(Key::from_hex(""));
  CHECK_FALSE(Key::from_hex(key.hex().substr(1)));
  CHECK_FALSE(Key::from_hex(std::string(64, 'G')));
  CHECK_FALSE(Key::from_hex("../" + key.hex().substr(3)));
}

TEST_CASE("names of files survive a text of printable ASCII") {
  using namespace venvoy::cache::internal;
  const std::pair<std::string, std::string> rows[] = {
      {"lib/module.py", "lib/module.py"},
      {"with space", "with space"},
      {"100%", "100%25"},
      {"gr\xC3\xB6\xC3\x9F"
       "e",
       "gr%C3%B6%C3%9Fe"},
      {"\xFF\x01\n", "%FF%01%0A"},
      {"%41", "%2541"},
      {"", ""},
  };
  for (const auto& [bytes, text] : rows) {
    CHECK(to_printable(bytes) == text);
    CHECK(from_printable(text) == bytes);
  }
  CHECK(from_printable("100%") == "100%");
  CHECK(from_printable("%4") == "%4");
  CHECK(from_printable("%zz") == "%zz");
}
