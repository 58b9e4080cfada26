// The plugin of the tests.
#include <fmt/format.h>

#include "unit/workflow/fixture.hpp"

namespace venvoy::workflow {
namespace {

namespace asio = boost::asio;
using deployer::StepAnswer;
using schema::Map;
using schema::Value;
using test::add_cancel_handler;
using test::add_output;
using test::FakePlugin;
using test::FakeStep;
using test::optional;
using test::required;
using test::scope_of;
using test::step_schema;
using CallPtr = std::shared_ptr<FakeCall>;

const schema::TypePtr& text() {
  return schema::string_type();
}
const schema::TypePtr& integer() {
  return schema::integer_type();
}

StepAnswer answer(std::string output, Map data) {
  StepAnswer result;
  result.output_id = std::move(output);
  result.data = std::move(data);
  return result;
}

bool flag(const Value& input, const char* name) {
  const Value* value = input.find(name);
  return value && value->as_bool();
}

std::string message_of(const CallPtr& call) {
  const Value* message = call->input().find("message");
  return message ? message->as_text() : std::string();
}

// --- say -------------------------------------------------------------------------------------------------------------

asio::awaitable<StepAnswer> run_say(CallPtr call) {
  if (flag(call->input(), "fail")) {
    Map error{{"error", "failed: " + message_of(call)}};
    co_return answer("error", std::move(error));
  }
  Map data{{"message", message_of(call)}, {"number", std::int64_t{7}}};
  for (const char* name : {"number", "note"})
    if (const Value* value = call->input().find(name)) data.set(name, *value);
  co_return answer("success", std::move(data));
}

FakeStep say() {
  schema::StepSchema step = step_schema("say", scope_of("SayInput", {{"message", required(text())},
                                                                     {"number", optional(integer())},
                                                                     {"note", optional(text())},
                                                                     {"fail", optional(schema::bool_type())}}));
  add_output(
      step, "success",
      scope_of("Said", {{"message", required(text())}, {"number", required(integer())}, {"note", optional(text())}}));
  add_output(step, "error", scope_of("SayError", {{"error", required(text())}}), true);
  return {std::move(step), run_say};
}

// --- wait, stubborn, deaf --------------------------------------------------------------------------------------------

std::chrono::milliseconds wait_time(const CallPtr& call) {
  return std::chrono::milliseconds(call->input().find("wait_time_ms")->as_integer());
}

asio::awaitable<StepAnswer> run_wait(CallPtr call) {
  const bool slept = co_await call->sleep(wait_time(call));
  Map data{{"message", fmt::format("Plugin slept for {} ms.", wait_time(call).count())}};
  co_return answer(slept ? "success" : "cancelled_early", std::move(data));
}

// Neither ends nor hears signals.
asio::awaitable<StepAnswer> run_deaf(CallPtr call) {
  const auto never = [] { return false; };
  co_await call->wait_until(never);
  co_return StepAnswer();
}

FakeStep waiting_step(const char* id, bool can_cancel, test::FakeFunction function) {
  schema::StepSchema step = step_schema(id, scope_of("WaitInput", {{"wait_time_ms", required(integer())}}));
  const schema::TypePtr message = scope_of("Slept", {{"message", required(text())}});
  for (const char* output : {"success", "terminated_early", "cancelled_early"}) add_output(step, output, message);
  if (can_cancel) add_cancel_handler(step);
  return {std::move(step), std::move(function)};
}

// --- hello, crash, odd -----------------------------------------------------------------------------------------------

asio::awaitable<StepAnswer> run_hello(CallPtr call) {
  const bool fail = flag(call->input(), "fail");
  Map data;
  if (fail) data.set("error", "asked to fail");
  co_return answer(fail ? "error" : "success", std::move(data));
}

FakeStep hello() {
  schema::StepSchema step = step_schema("hello", scope_of("HelloInput", {{"fail", required(schema::bool_type())}}));
  add_output(step, "success", scope_of("HelloDone", {}));
  add_output(step, "error", scope_of("HelloError", {{"error", required(text())}}), true);
  return {std::move(step), run_hello};
}

asio::awaitable<StepAnswer> run_crash(CallPtr call) {
  throw Error(ErrorCode::plugin, "the plugin has ended with exit code 1: " + message_of(call));
  co_return StepAnswer();
}

FakeStep crash() {
  schema::StepSchema step = step_schema("crash", scope_of("CrashInput", {{"message", required(text())}}));
  add_output(step, "success", scope_of("Nothing", {}));
  return {std::move(step), run_crash};
}

// Answers what its schema does not allow: an output that is not there, or data that does not fit.
asio::awaitable<StepAnswer> run_odd(CallPtr call) {
  Map data{{"number", "no number"}};
  co_return answer(message_of(call), std::move(data));
}

FakeStep odd() {
  schema::StepSchema step = step_schema("odd", scope_of("OddInput", {{"message", required(text())}}));
  add_output(step, "success", scope_of("OddDone", {{"number", required(integer())}}));
  return {std::move(step), run_odd};
}

// --- meet ------------------------------------------------------------------------------------------------------------

// Ends when `count` calls with this message have begun: never, if they do not run at the same time.
asio::awaitable<StepAnswer> run_meet(CallPtr call) {
  const std::string here = "met " + message_of(call);
  const auto count = static_cast<int>(call->input().find("count")->as_integer());
  call->world().note(here);
  const auto all_here = [call, here, count] { return call->world().count(here) >= count; };
  co_await call->wait_until(all_here);
  Map data{{"message", message_of(call)}};
  co_return answer("success", std::move(data));
}

FakeStep meet() {
  schema::StepSchema step =
      step_schema("meet", scope_of("MeetInput", {{"message", required(text())}, {"count", required(integer())}}));
  add_output(step, "success", scope_of("Met", {{"message", required(text())}}));
  return {std::move(step), run_meet};
}

// --- take, give ------------------------------------------------------------------------------------------------------

asio::awaitable<StepAnswer> run_take(CallPtr call) {
  const Value* value = call->input().find("value");
  Map data{{"value", value ? *value : Value("nothing")}};
  co_return answer("success", std::move(data));
}

FakeStep take() {
  schema::StepSchema step = step_schema("take", scope_of("TakeInput", {{"value", optional(schema::any_type())}}));
  add_output(step, "success", scope_of("Taken", {{"value", required(schema::any_type())}}));
  return {std::move(step), run_take};
}

schema::TypePtr list_of(schema::TypePtr items) {
  schema::ListType list;
  list.items = std::move(items);
  return schema::make_type(std::move(list));
}

schema::TypePtr map_of(schema::TypePtr keys, schema::TypePtr values) {
  schema::MapType map;
  map.keys = std::move(keys);
  map.values = std::move(values);
  return schema::make_type(std::move(map));
}

asio::awaitable<StepAnswer> run_give(CallPtr) {
  schema::List names;
  names.emplace_back("zero");
  names.emplace_back("one");
  Map environment{{"HOST-NAME", "box"}, {"USER", "me"}};
  Map data{{"flag", true}, {"ratio", 0.5}, {"names", std::move(names)}, {"environment", std::move(environment)}};
  co_return answer("success", std::move(data));
}

FakeStep give() {
  schema::StepSchema step = step_schema("give", scope_of("GiveInput", {}));
  add_output(step, "success",
             scope_of("Given", {{"flag", required(schema::bool_type())},
                                {"ratio", required(schema::float_type())},
                                {"names", required(list_of(text()))},
                                {"environment", required(map_of(text(), text()))}}));
  return {std::move(step), run_give};
}

}  // namespace

// say       {message, number?, note?, fail?}  the same as `success` (number: 7 without), or `error` {error}
// wait      {wait_time_ms}  `success`, or after a cancel signal `cancelled_early` {message}
// stubborn  the same without a cancel handler
// deaf      does not end until it is killed; its cancel handler does nothing
// hello     {fail}  `success` {} or `error` {error}
// crash     {message}  dies with it
// odd       {message}  ends with the output of that name and data that does not fit
// meet      {message, count}  ends when so many with the same message run at once
// take      {value?}  `success` {value}
// give      {}  `success` {flag, ratio, names, environment}
test::FakePlugin demo_plugin() {
  FakePlugin plugin;
  plugin.steps = {say(),
                  waiting_step("wait", true, run_wait),
                  waiting_step("stubborn", false, run_wait),
                  hello(),
                  waiting_step("deaf", true, run_deaf),
                  crash(),
                  odd(),
                  meet(),
                  take(),
                  give()};
  return plugin;
}

test::FakePlugin single_plugin() {
  FakePlugin plugin;
  plugin.steps.push_back(say());
  return plugin;
}

}  // namespace venvoy::workflow
