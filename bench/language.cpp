// What the language costs: evaluations and validations per second, and a payload per byte.
//
//   language-bench [SECONDS]     each row is measured for that long (default 0.5)
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "atp/cbor.hpp"
#include "expressions/evaluate.hpp"
#include "expressions/infer.hpp"
#include "expressions/parse.hpp"
#include "schema/check.hpp"
#include "schema/json.hpp"
#include "schema/plugin_schema.hpp"
#include "schema/read_type.hpp"
#include "schema/yaml.hpp"
#include "schema/yaml_writer.hpp"

namespace {

using namespace venvoy;

// Of this process: what else the machine does counts less.
struct CpuClock {
  static std::chrono::nanoseconds now() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }
};

// Work whose result is counted here cannot be left out by the compiler.
std::uint64_t sink = 0;

// Nanoseconds of processor time that one call takes on average, called for at least so long.
double nanoseconds(const std::function<std::uint64_t()>& work, double seconds) {
  sink += work();
  std::uint64_t calls = 0;
  const auto start = CpuClock::now();
  double taken = 0;
  for (std::uint64_t batch = 1; taken < seconds; batch *= 2) {
    for (std::uint64_t call = 0; call < batch; ++call) sink += work();
    calls += batch;
    taken = std::chrono::duration<double>(CpuClock::now() - start).count();
  }
  return taken * 1e9 / static_cast<double>(calls);
}

void print_rate(std::string_view name, double nanoseconds_a_call) {
  fmt::print("| {:<44} | {:>12.0f} | {:>10.0f} |\n", name, 1e9 / nanoseconds_a_call, nanoseconds_a_call);
}

void print_bytes(std::string_view name, std::size_t bytes, double nanoseconds_a_call) {
  const double a_byte = nanoseconds_a_call / static_cast<double>(bytes);
  fmt::print("| {:<44} | {:>12} | {:>10.2f} | {:>8.0f} |\n", name, bytes, a_byte, 1e9 / a_byte / 1e6);
}

schema::TypePtr root_type() {
  return schema::read_scope(schema::read_json(R"({"root": "R", "objects": {
    "R": {"id": "R", "properties": {
      "input": {"type": {"type_id": "ref", "id": "I"}},
      "steps": {"type": {"type_id": "map", "keys": {"type_id": "string"}, "values": {"type_id": "ref", "id": "S"}}}}},
    "I": {"id": "I", "properties": {
      "name": {"type": {"type_id": "string", "min": 1, "max": 100, "pattern": "^[A-Za-z ]+$"}},
      "count": {"type": {"type_id": "integer", "min": 0, "max": 1000}},
      "ratio": {"type": {"type_id": "float"}},
      "tags": {"type": {"type_id": "list", "items": {"type_id": "string"}}}}},
    "S": {"id": "S", "properties": {"message": {"type": {"type_id": "string"}}, "data": {"type": {"type_id": "any"}}}}}})"));
}

schema::Value root_data() {
  return schema::read_json(R"({"input": {"name": "World", "count": 7, "ratio": 1.5, "tags": ["a", "b", "c", "d"]},
    "steps": {"hello": {"message": "Hello, World!", "data": {"x": [1, 2, 3]}}}})");
}

void measure_expressions(double seconds) {
  const expressions::Functions& functions = expressions::builtin_functions();
  const schema::TypePtr type = root_type();
  const schema::Value data = root_data();
  fmt::print("| {:<44} | {:>12} | {:>10} |\n|---|---:|---:|\n", "expression", "per second", "ns each");
  for (const std::string_view text :
       {"$.input.name", "$.steps[\"hello\"].message", "$.input.count * 2 + 1 > 10 && $.input.ratio < 2.0",
        "\"Hello, \" + $.input.name + intToString($.input.count)", "$.input.tags[$.input.count - 5]"}) {
    const expressions::Expression expression = expressions::parse(text);
    const auto evaluate = [&] {
      return static_cast<std::uint64_t>(expressions::evaluate(expression, data, functions).kind());
    };
    print_rate(fmt::format("evaluate {}", text.substr(0, 34)), nanoseconds(evaluate, seconds));
  }
  const std::string_view text = "$.input.count * 2 + 1 > 10 && $.input.ratio < 2.0";
  const auto parse = [&] { return expressions::parse(text).tree().nodes.size(); };
  print_rate("parse the third of them", nanoseconds(parse, seconds));
  const expressions::Expression expression = expressions::parse(text);
  const auto infer = [&] { return static_cast<std::uint64_t>(expressions::infer(expression, type, functions)->id()); };
  print_rate("type the third of them", nanoseconds(infer, seconds));
}

void measure_validation(double seconds) {
  const schema::TypePtr type = root_type();
  const schema::Value data = root_data();
  const schema::Value read = schema::unserialize(*type, data);
  fmt::print("\n| {:<44} | {:>12} | {:>10} |\n|---|---:|---:|\n", "validation of a small document", "per second",
             "ns each");
  print_rate("unserialize", nanoseconds([&] { return schema::unserialize(*type, data).as_map().size(); }, seconds));
  print_rate("validate", nanoseconds([&] { return schema::validate(*type, read), std::uint64_t{1}; }, seconds));
  print_rate("serialize", nanoseconds([&] { return schema::serialize(*type, read).as_map().size(); }, seconds));
  print_rate("compare the type with itself",
             nanoseconds([&] { return schema::incompatibilities(*type, *type).size(); }, seconds));
}

schema::TypePtr payload_type(const char* items) {
  return schema::read_scope(schema::read_json(fmt::format(
      R"({{"root": "P", "objects": {{"P": {{"id": "P", "properties": {{"data": {{"type": {}}}}}}}}}}})", items)));
}

// The way of a payload through the engine: bytes of a plugin → value → checked value → bytes for the next plugin.
void measure_payload(std::string_view name, const schema::Value& payload, const schema::TypePtr& type, double seconds) {
  const schema::Value data = schema::Map{{"data", payload}};
  const std::string bytes = atp::encode(data);
  const auto decode = [&] {
    atp::CborReader reader;
    reader.feed(std::as_bytes(std::span(bytes)));
    return static_cast<std::uint64_t>(reader.next()->kind());
  };
  print_bytes(fmt::format("{}: decode", name), bytes.size(), nanoseconds(decode, seconds));
  print_bytes(fmt::format("{}: check", name), bytes.size(),
              nanoseconds([&] { return schema::unserialize(*type, data).as_map().size(); }, seconds));
  print_bytes(fmt::format("{}: encode", name), bytes.size(),
              nanoseconds([&] { return atp::encode(data).size(); }, seconds));
  const std::string yaml = schema::write_yaml(data);
  print_bytes(fmt::format("{}: write YAML", name), yaml.size(),
              nanoseconds([&] { return schema::write_yaml(data).size(); }, seconds));
  if (yaml.size() < (std::size_t{8} << 20))
    print_bytes(fmt::format("{}: read YAML", name), yaml.size(),
                nanoseconds([&] { return schema::read_yaml(yaml, "x").entries.size(); }, seconds));
}

void measure_payloads(double seconds) {
  fmt::print("\n| {:<44} | {:>12} | {:>10} | {:>8} |\n|---|---:|---:|---:|\n", "payload", "bytes", "ns a byte", "MB/s");
  measure_payload("text of 1 MiB", std::string(std::size_t{1} << 20, 'x'), payload_type(R"({"type_id": "string"})"),
                  seconds);
  schema::List numbers;
  for (std::int64_t number = 0; number < 100'000; ++number) numbers.emplace_back(number);
  measure_payload("100,000 integers", numbers, payload_type(R"({"type_id": "list", "items": {"type_id": "integer"}})"),
                  seconds);
  schema::List rows;
  for (int row = 0; row < 10'000; ++row)
    rows.push_back(schema::Map{{"id", row}, {"name", "row " + std::to_string(row)}, {"value", row * 0.5}});
  measure_payload("10,000 objects", std::move(rows),
                  payload_type(R"({"type_id": "list", "items": {"type_id": "object", "id": "O", "properties": {
                    "id": {"type": {"type_id": "integer"}}, "name": {"type": {"type_id": "string"}},
                    "value": {"type": {"type_id": "float"}}}}})"),
                  seconds);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 0.5;
  measure_expressions(seconds);
  measure_validation(seconds);
  measure_payloads(seconds);
  return sink == 0 ? 1 : 0;
}
