// expression-vectors FILE
//
// Runs the cases of a file of expression vectors (its header explains the form) through parse, infer, dependencies and
// evaluate, and compares the step that reports a failure, trees, types, dependencies and values; the words of messages
// are free. Prints each case that does not pass on a line, and how many did. Exit code 0: all passed, 1: some failed,
// 2: the file cannot be used.
#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <optional>
#include <set>
#include <string>

#include "expressions/dependencies.hpp"
#include "expressions/evaluate.hpp"
#include "expressions/functions.hpp"
#include "expressions/infer.hpp"
#include "expressions/internal/float_text.hpp"
#include "expressions/parse.hpp"
#include "schema/given.hpp"
#include "schema/json.hpp"
#include "vectors/encoding.hpp"
#include "vectors/header.hpp"
#include "vectors/tree_text.hpp"

namespace venvoy::test {

namespace {

using expressions::builtin_functions;
using expressions::DependencyFilter;
using expressions::Expression;
using expressions::ExpressionError;
using schema::Kind;
using schema::List;
using schema::Map;
using schema::TypePtr;
using schema::Value;

const List& list_of(const Value& value, std::string_view name) {
  if (field(value, name).kind() != Kind::list) throw VectorProblem("'" + std::string(name) + "' is no list");
  return field(value, name).as_list();
}

// One case of `cases` or `operator_matrix`. Each step throws a VectorProblem when it does not do as expected.
class CaseRun {
 public:
  CaseRun(const Value& vector, const Header& header)
      : vector_(vector),
        text_(text_field(vector, "expr")),
        root_(named(header.schemas, text_field(vector, "schema"))),
        document_(named(header.documents, text_field(vector, "data"))),
        header_(header) {}

  void run() {
    check_fields(vector_,
                 {"id", "group", "expr", "schema", "data", "stage", "parse", "type", "dependencies", "evaluate"});
    parse();
    if (expression_) {
      type();
      dependencies();
      evaluate();
    } else {
      for (const std::string_view later : {"type", "dependencies", "evaluate"})
        if (vector_.find(later)) throw VectorProblem("a case that does not parse has a '" + std::string(later) + "'");
    }
    std::string stage = text_field(vector_, "stage");
    if (is_mended() && stage == "evaluate") stage = "ok";
    if (stage != stage_) throw VectorProblem("stage " + stage + " expected, got " + stage_);
  }

 private:
  // Does the step and compares that it fails, or what it gives. `compare` gets what is expected.
  void step(std::string_view name, const Value& expected, ErrorCode code, const std::function<void()>& work,
            const std::function<void()>& compare) {
    const bool to_fail = expected.find("error") != nullptr;
    if (to_fail) check_fields(expected, {"error", "crash"});
    const std::string where = std::string(name) + ": ";
    try {
      work();
    } catch (const ExpressionError& error) {
      if (!to_fail) throw VectorProblem(where + error.what());
      if (error.code() != code) throw VectorProblem(where + "an error with another code: " + error.what());
      if (!error.offset() || *error.offset() > text_.size()) throw VectorProblem(where + "an error without a place");
      if (stage_ == "ok") stage_ = name;
      return;
    }
    if (to_fail) throw VectorProblem(where + "an error expected: " + schema::describe(field(expected, "error")));
    compare();
  }

  void parse() {
    static const Value to_parse = Map();
    const Value* given = vector_.find("parse");
    const Value& expected = given ? *given : to_parse;  // the operator matrix has no trees
    step(
        "parse", expected, ErrorCode::document, [&] { expression_ = expressions::parse(text_); },
        [&] {
          if (!given) return;
          check_fields(expected, {"tree", "canonical"});
          equal("tree", text_field(expected, "tree"), s_expression(expression_->tree()));
          equal("canonical text", text_field(expected, "canonical"), canonical_text(expression_->tree()));
        });
  }

  static void equal(const std::string& what, const std::string& expected, const std::string& actual) {
    if (expected != actual) throw VectorProblem(what + ": '" + expected + "' expected, got '" + actual + "'");
  }

  void type() {
    const Value& expected = field(vector_, "type");
    // Typing was not run against `any`.
    if (expected.is_null() && root_->id() == schema::TypeId::any) return;
    TypePtr actual;
    step(
        "type", expected, ErrorCode::document,
        [&] { actual = expressions::infer(*expression_, root_, builtin_functions()); },
        [&] { equal("type", schema::write_json(expected, sorted), schema::write_json(encode_type(actual), sorted)); });
  }

  void dependencies() {
    const Value& expected = field(vector_, "dependencies");
    if (expected.kind() != Kind::map || expected.as_map().empty()) throw VectorProblem("'dependencies' is empty");
    if (expected.find("error")) {
      for (const auto& [name, filter] : header_.filters) dependencies(expected, filter, nullptr);
    } else {
      for (const auto& [name, paths] : expected.as_map())
        dependencies(Map(), named(header_.filters, name.as_text()), &paths);
    }
  }

  void dependencies(const Value& expected, const DependencyFilter& filter, const Value* paths) {
    std::multiset<std::string> actual;
    const auto work = [&] {
      for (auto& path : expressions::dependencies(*expression_, root_, builtin_functions(), filter))
        actual.insert(schema::write_json(path_text(path.elements), sorted));
    };
    step("dependencies", expected, ErrorCode::document, work, [&] {
      if (paths->kind() != Kind::list) throw VectorProblem("'dependencies' holds no list");
      std::multiset<std::string> wanted;
      for (const Value& path : paths->as_list()) wanted.insert(schema::write_json(path, sorted));
      equal("dependencies", joined(wanted), joined(actual));
    });
  }

  // Texts and integers stand for themselves.
  static Value path_text(const List& elements) {
    List encoded;
    for (const Value& element : elements) {
      if (element.kind() == Kind::boolean) {
        encoded.emplace_back(Map{{"t", "bool"}, {"v", element}});
      } else if (element.kind() == Kind::floating) {
        encoded.emplace_back(Map{{"t", "float"}, {"v", expressions::format_float(element.as_float(), 'g', -1)}});
      } else {
        encoded.push_back(element);
      }
    }
    return encoded;
  }

  static std::string joined(const std::multiset<std::string>& paths) {
    std::string text;
    for (const std::string& path : paths) text += path + " ";
    return text;
  }

  void evaluate() {
    const Value& expected = field(vector_, "evaluate");
    Value actual;
    const auto work = [&] { actual = expressions::evaluate(*expression_, document_, builtin_functions()); };
    if (is_mended()) {
      if (stage_ == "ok") work();
      return;
    }
    step("evaluate", expected, ErrorCode::evaluation, work, [&] {
      check_fields(expected, {"value"});
      if (!same_value(decode_value(field(expected, "value")), actual, tolerance()))
        throw VectorProblem("value: " + schema::write_json(field(expected, "value"), sorted) + " expected, got " +
                            schema::describe(actual, 400));
    });
  }

  // The one crash of the Go engine in place of which there is to be a value (spec/expressions.md 12, number 11): lists
  // that come from a function are not good enough for its bindConstants. Of an expression that does not type the value
  // is not compared then.
  bool is_mended() const {
    const Value* expected = vector_.find("evaluate");
    return expected && expected->find("crash") &&
           text_field(*expected, "error").find("[]string as type []interface {}") != std::string::npos;
  }

  // Powers of floats need not have the last digits of the Go engine (spec/expressions.md 6.2).
  double tolerance() const {
    const auto& nodes = expression_->tree().nodes;
    const bool power = std::any_of(nodes.begin(), nodes.end(), [](const expressions::Node& node) {
      return node.kind == expressions::NodeKind::binary && node.op == expressions::Operator::power;
    });
    return power ? 1e-14 : 0;
  }

  static constexpr schema::JsonWriteOptions sorted = {.indent = 0, .sort_keys = true};

  const Value& vector_;
  const std::string& text_;
  const TypePtr& root_;
  const Value& document_;
  const Header& header_;
  std::optional<Expression> expression_;
  std::string stage_ = "ok";
};

// One case of `inference`.
void run_inference(const Value& vector, const Header& header) {
  constexpr schema::JsonWriteOptions sorted = {.indent = 0, .sort_keys = true};
  check_fields(vector, {"id", "value", "type", "operand_order_unspecified"});
  const TypePtr& root = named(header.schemas, "main");
  const schema::Given given = decode_given(field(vector, "value"), [&](const std::string& text) {
    return expressions::infer(expressions::parse(text), root, builtin_functions());
  });
  const Value& expected = field(vector, "type");
  std::string actual;
  try {
    // The vectors write all random object ids like this.
    actual = schema::write_json(encode_type(schema::infer_type(given, "inferred_schema_*")), sorted);
  } catch (const Error& error) {
    if (expected.find("error")) return check_fields(expected, {"error"});
    throw VectorProblem(error.what());
  }
  if (schema::write_json(expected, sorted) != actual)
    throw VectorProblem("type: " + schema::write_json(expected, sorted) + " expected, got " + actual);
}

struct Count {
  int passed = 0;
  int failed = 0;
};

// Whatever is wrong with a case, the others are run.
void run_one(const Value& vector, Count& count, const std::function<void()>& run) {
  try {
    run();
    ++count.passed;
  } catch (const std::exception& problem) {
    ++count.failed;
    const Value* id = vector.find("id");
    const Value* text = vector.find("expr");
    std::string line = "FAIL " + (id ? schema::describe(*id) : "?") + " " + (text ? schema::describe(*text, 200) : "") +
                       ": " + problem.what();
    std::replace(line.begin(), line.end(), '\n', ' ');
    std::cout << line << "\n";
  }
}

Count run_file(const Value& file) {
  const Value& header_data = field(file, "header");
  check_fields(file, {"header", "cases", "operator_matrix", "inference"});
  const Header header = read_header(header_data);
  const WorkingDirectory directory(header_data);
  set_environment(header_data);
  Count count;
  for (const std::string_view list : {"cases", "operator_matrix"})
    for (const Value& vector : list_of(file, list)) run_one(vector, count, [&] { CaseRun(vector, header).run(); });
  for (const Value& vector : list_of(file, "inference")) run_one(vector, count, [&] { run_inference(vector, header); });
  if (count.passed + count.failed == 0) throw VectorProblem("the file has no cases");
  return count;
}

Value read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw VectorProblem("cannot open " + path);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  return schema::read_json(text, path);
}

}  // namespace

}  // namespace venvoy::test

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: expression-vectors FILE\n";
    return 2;
  }
  try {
    const venvoy::test::Count count = venvoy::test::run_file(venvoy::test::read_file(argv[1]));
    std::cout << count.passed << " passed, " << count.failed << " failed\n";
    return count.failed == 0 ? 0 : 1;
  } catch (const std::exception& problem) {
    std::cerr << argv[1] << ": " << problem.what() << "\n";
    return 2;
  }
}
