#include "api/internal/conversion.hpp"

#include <new>

#include <fmt/format.h>

#include "report/diagnostics.hpp"

namespace venvoy {

namespace {

// Deeper than anything that is read from a text.
constexpr int max_depth = 1000;

schema::Map map_of(const Value::Map& entries, int depth) {
  schema::Map map;
  for (const auto& [key, value] : entries) {
    if (key.kind() == Value::Kind::list || key.kind() == Value::Kind::map)
      throw Error(ErrorCode::usage, "a list or a map cannot be the key of a map");
    schema::Value converted = ValueConversion::to_schema(key, depth);
    if (map.find(converted))
      throw Error(ErrorCode::usage, fmt::format("the key {} is there twice", schema::describe(converted)));
    map.insert(std::move(converted), ValueConversion::to_schema(value, depth));
  }
  return map;
}

}  // namespace

schema::Value ValueConversion::to_schema(const Value& value, int depth) {
  if (depth > max_depth) throw Error(ErrorCode::limit, fmt::format("a value is nested more than {} deep", max_depth));
  switch (value.kind()) {
    case Value::Kind::null: {
      const std::string& written = std::get<Value::Null>(value.form_).written;
      return written.empty() ? schema::Value() : schema::Value::written_null(written);
    }
    case Value::Kind::boolean:
      return value.as_bool();
    case Value::Kind::integer:
      return value.as_integer();
    case Value::Kind::floating:
      return value.as_float();
    case Value::Kind::text:
      return value.as_text();
    case Value::Kind::bytes:
      return value.as_bytes();
    case Value::Kind::list: {
      schema::List list;
      for (const Value& item : value.as_list()) list.push_back(to_schema(item, depth + 1));
      return list;
    }
    case Value::Kind::map:
      break;
  }
  return map_of(value.as_map(), depth + 1);
}

Value ValueConversion::to_public(const schema::Value& value) {
  switch (value.kind()) {
    case schema::Kind::null: {
      Value result;
      if (const std::string* written = value.null_text()) std::get<Value::Null>(result.form_).written = *written;
      return result;
    }
    case schema::Kind::boolean:
      return value.as_bool();
    case schema::Kind::integer:
      return value.as_integer();
    case schema::Kind::floating:
      return value.as_float();
    case schema::Kind::text:
      return value.as_text();
    case schema::Kind::bytes:
      return value.as_bytes();
    case schema::Kind::list: {
      Value::List list;
      for (const schema::Value& item : value.as_list()) list.push_back(to_public(item));
      return list;
    }
    case schema::Kind::map: {
      Value::Map map;
      for (const auto& [key, item] : value.as_map()) map.push_back({to_public(key), to_public(item)});
      return map;
    }
    case schema::Kind::invalid:
      break;
  }
  throw Error(ErrorCode::schema, value.invalid_reason());
}

namespace api::internal {

// The public codes are the inner ones under another name.
static_assert(static_cast<int>(FailureCode::usage) == static_cast<int>(ErrorCode::usage));
static_assert(static_cast<int>(FailureCode::contract_missing) == static_cast<int>(ErrorCode::contract_missing));
static_assert(static_cast<int>(FailureCode::plugin) == static_cast<int>(ErrorCode::plugin));
static_assert(static_cast<int>(FailureCode::denied) == static_cast<int>(ErrorCode::denied));
static_assert(static_cast<int>(FailureCode::internal) == static_cast<int>(ErrorCode::internal));

namespace {

Place place_of(const Position& position) {
  return {position.file, position.line, position.column};
}

}  // namespace

venvoy::Value to_public(const schema::Value& value) {
  return ValueConversion::to_public(value);
}

schema::Value to_schema(const venvoy::Value& value) {
  return ValueConversion::to_schema(value, 0);
}

Failure to_public(const Error& error) {
  return {static_cast<FailureCode>(error.code()), error.what(), error.hint(), place_of(error.position())};
}

Diagnostic to_public(const Issue& issue) {
  const bool is_error = issue.severity == Severity::error;
  return {is_error ? Diagnostic::Severity::error : Diagnostic::Severity::warning, place_of(issue.at), issue.text,
          issue.hint};
}

std::vector<Diagnostic> to_public(const Issues& issues) {
  std::vector<Diagnostic> diagnostics;
  for (const Issue& issue : issues) diagnostics.push_back(to_public(issue));
  return diagnostics;
}

EngineError usage_error(std::string text) {
  return EngineError(Failure{FailureCode::usage, std::move(text), {}, {}});
}

void translated(const std::function<void()>& work) {
  try {
    work();
  } catch (const EngineError&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const Error& error) {
    throw EngineError(to_public(error));
  } catch (const std::exception& error) {
    throw EngineError(Failure{FailureCode::internal, error.what(), {}, {}});
  }
}

}  // namespace api::internal

std::string Diagnostic::rendered() const {
  const bool is_error = severity == Severity::error;
  return report::render(
      Issue{is_error ? venvoy::Severity::error : venvoy::Severity::warning, {at.file, at.line, at.column}, text, hint},
      report::DiagnosticStyle{});
}

}  // namespace venvoy
