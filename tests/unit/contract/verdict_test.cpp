#include "contract/verdict.hpp"

#include "support/catch.hpp"

using venvoy::contract::from_record;
using venvoy::contract::to_record;
using venvoy::contract::Verdict;

TEST_CASE("a verdict comes back from its record") {
  for (const auto kind : {Verdict::Kind::kept, Verdict::Kind::missing, Verdict::Kind::unreadable}) {
    const std::string record = to_record({kind, "file \"x\"\n"});
    CHECK(record.find('\n') == record.size() - 1);
    const auto verdict = from_record(record);
    REQUIRE(verdict);
    CHECK(verdict->kind == kind);
    CHECK(verdict->evidence == "file \"x\"\n");
    CHECK(verdict->kept() == (kind == Verdict::Kind::kept));
  }
}

TEST_CASE("the record of a verdict has its form") {
  CHECK(to_record({Verdict::Kind::kept, "file x"}) == "{\"kind\":\"kept\",\"evidence\":\"file x\"}\n");
}

TEST_CASE("a text that is no verdict gives none") {
  for (const char* text : {"", "{", "null", "[]", "{}", "{\"kind\":\"kept\"}", "{\"kind\":\"good\",\"evidence\":\"x\"}",
                           "{\"kind\":1,\"evidence\":\"x\"}", "{\"kind\":\"kept\",\"evidence\":[]}",
                           "{\"kind\":\"kept\",\"evidence\":\"x\"} more"})
    CHECK_FALSE(from_record(text));
}
