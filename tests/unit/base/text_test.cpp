#include "base/text.hpp"

#include "support/catch.hpp"

using namespace venvoy;

TEST_CASE("the nearest name is found when it is near enough") {
  const std::vector<std::string> names = {"success", "error", "cancelled_early"};
  CHECK(nearest("succes", names) == "success");
  CHECK(nearest("sucecss", names) == "success");
  CHECK(nearest("errro", names) == "error");
  CHECK(nearest("cancelled", names) == std::nullopt);
  CHECK(nearest("success", names) == std::nullopt);  // it is there: nothing to suggest
  CHECK(did_you_mean("eror", names) == ", did you mean 'error'?");
  CHECK(did_you_mean("xyz", names).empty());
}

TEST_CASE("UTF-8 is checked and counted by code points") {
  CHECK(count_code_points("héé") == 3);
  CHECK(count_code_points("") == 0);
  CHECK(count_code_points("\xF0\x9F\x98\x80") == 1);
  CHECK(count_code_points("a\xFF"
                          "b") == 3);
  CHECK(is_valid_utf8("größe"));
  CHECK_FALSE(is_valid_utf8("\xC0\x80"));          // overlong
  CHECK_FALSE(is_valid_utf8("\xED\xA0\x80"));      // surrogate
  CHECK_FALSE(is_valid_utf8("\xF4\x90\x80\x80"));  // above U+10FFFF
  CHECK_FALSE(is_valid_utf8("\xE2\x82"));          // cut off
  CHECK(to_valid_utf8("a\xE2\x82") == "a\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("a tail starts at a line") {
  CHECK(tail("one\ntwo\nthree", 100) == "one\ntwo\nthree");
  CHECK(tail("one\ntwo\nthree", 9) == "three");
  CHECK(tail("one\ntwo\nthree", 3) == "ree");
}
