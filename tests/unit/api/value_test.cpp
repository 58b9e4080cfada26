#include <venvoy/failure.hpp>
#include <venvoy/observer.hpp>
#include <venvoy/value.hpp>

#include "support/catch.hpp"
#include "world.hpp"

namespace venvoy::test {
namespace {

TEST_CASE("values keep what they are made of") {
  const Value map = Value::Map{{"name", "World"}, {1, Value::List{true, nullptr, 2.5}}, {"bytes", Value::Bytes{}}};
  CHECK(map.at("name").as_text() == "World");
  CHECK(map.as_map()[1].key.as_integer() == 1);
  CHECK(map.as_map()[1].value.as_list()[0].as_bool());
  CHECK(map.as_map()[1].value.as_list()[1].is_null());
  CHECK(map.as_map()[1].value.as_list()[2].as_float() == 2.5);
  CHECK(map.at("bytes").kind() == Value::Kind::bytes);
  CHECK(map.find("1") == nullptr);  // the key is an integer
  CHECK_THROWS_AS(map.at("nothing"), std::out_of_range);
  CHECK_THROWS_AS(map.as_text(), std::bad_variant_access);
  CHECK(Value("x").find("x") == nullptr);
}

TEST_CASE("values are equal by kind and contents") {
  CHECK(Value(1) == Value(std::int64_t{1}));
  CHECK_FALSE(Value(1) == Value(1.0));
  CHECK_FALSE(Value("1") == Value(1));
  CHECK_FALSE(Value(true) == Value(1));
  CHECK(Value(Value::Map{{"a", 1}, {"b", 2}}) == Value(Value::Map{{"b", 2}, {"a", 1}}));
  CHECK_FALSE(Value(Value::Map{{"a", 1}, {"b", 2}}) == Value(Value::Map{{"a", 1}, {"b", 3}}));
  CHECK_FALSE(Value(Value::Map{{"a", 1}}) == Value(Value::Map{{"c", 1}}));
}

TEST_CASE("values come from texts and go to texts") {
  CHECK(Value::from_yaml("a: 1\nb: [true, 1.5, ~]\n") ==
        Value(Value::Map{{"a", 1}, {"b", Value::List{true, 1.5, nullptr}}}));
  CHECK(Value::input_from_yaml("version: 1.10\n") == Value(Value::Map{{"version", "1.10"}}));
  CHECK(Value::from_json(R"({"a": [1, "x"]})") == Value(Value::Map{{"a", Value::List{1, "x"}}}));
  CHECK(Value(Value::Map{{"b", 1}, {"a", "true"}}).to_yaml() == "a: \"true\"\nb: 1\n");
  CHECK(Value(Value::Map{{"b", 1}, {"a", "x"}}).to_json(0) == R"({"b":1,"a":"x"})");
}

TEST_CASE("texts and values that are wrong say so") {
  const EngineError syntax = error_of([] { Value::from_yaml("a: [1\n", "data.yaml"); });
  CHECK(syntax.failure().code == FailureCode::document);
  CHECK(syntax.failure().at.file == "data.yaml");
  CHECK(syntax.failure().at.line > 0);
  CHECK(error_of([] { Value::from_json("{", "d.json"); }).failure().code == FailureCode::document);
  CHECK(error_of([] { Value(Value::Map{{"a", 1}, {"a", 2}}).to_json(); }).failure().code == FailureCode::usage);
  CHECK(error_of([] { Value(Value::Map{{Value::List{}, 1}}).to_yaml(); }).failure().code == FailureCode::usage);
  Value deep;
  for (int level = 0; level < 2000; ++level) deep = Value::List{deep};
  CHECK(error_of([&] { deep.to_json(); }).failure().code == FailureCode::limit);
}

TEST_CASE("an event is one line of JSON") {
  Event event;
  event.type = Event::Type::step_finished;
  event.time = std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(1'500'000));
  event.run = "r1";
  event.step = "greet";
  event.stage = "outputs";
  event.output = "success";
  event.outcome = "succeeded";
  event.data = Value::Map{{"text", "two\nlines"}};
  CHECK(to_json(event) ==
        R"({"v":1,"type":"step_finished","time":"1970-01-01T00:00:01.500000Z","run":"r1","step":"greet",)"
        R"("stage":"outputs","output":"success","outcome":"succeeded","data":{"text":"two\nlines"}})");
  Event item;
  item.type = Event::Type::item_started;
  item.step = "loop";
  item.count = 3;
  CHECK(to_json(item) ==
        R"({"v":1,"type":"item_started","time":"1970-01-01T00:00:00.000000Z","step":"loop","index":0,"count":3})");
}

TEST_CASE("a diagnostic reads as the command shows it") {
  const Diagnostic diagnostic{Diagnostic::Severity::error, {"w.yaml", 3, 5}, "wrong", "do it right"};
  CHECK(diagnostic.rendered() == "error: wrong\n  --> w.yaml:3:5\n   = help: do it right\n");
}

}  // namespace
}  // namespace venvoy::test
