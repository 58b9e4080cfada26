#include "vectors/header.hpp"

#include <fstream>
#include <stdlib.h>

#include "schema/read_type.hpp"

namespace venvoy::test {

using expressions::DependencyFilter;
using schema::Kind;
using schema::Map;
using schema::Value;

namespace {

const Map& map_of(const Value& value, std::string_view name) {
  if (field(value, name).kind() != Kind::map) throw VectorProblem("'" + std::string(name) + "' is no mapping");
  return field(value, name).as_map();
}

DependencyFilter read_filter(const Value& filter) {
  check_fields(filter, {"exclude_data_root_paths", "exclude_function_root_paths", "stop_at_terminals", "include_keys"});
  const auto flag = [&](std::string_view name) {
    if (field(filter, name).kind() != Kind::boolean) throw VectorProblem("a filter has a flag that is no bool");
    return field(filter, name).as_bool();
  };
  return {.exclude_data_root_paths = flag("exclude_data_root_paths"),
          .exclude_function_root_paths = flag("exclude_function_root_paths"),
          .stop_at_terminals = flag("stop_at_terminals"),
          .include_keys = flag("include_keys")};
}

}  // namespace

Header read_header(const Value& header) {
  Header result;
  for (const auto& [name, value] : map_of(header, "schemas"))
    result.schemas[name.as_text()] = value.find("type_id") ? schema::read_type(value) : schema::read_scope(value);
  for (const auto& [name, value] : map_of(header, "documents")) result.documents[name.as_text()] = decode_value(value);
  for (const auto& [name, value] : map_of(header, "dependency_filters"))
    result.filters[name.as_text()] = read_filter(value);
  return result;
}

void set_environment(const Value& header) {
  for (const auto& [name, value] : map_of(header, "environment")) {
    if (value.is_null()) {
      unsetenv(name.as_text().c_str());
    } else if (value.kind() == Kind::text) {
      setenv(name.as_text().c_str(), value.as_text().c_str(), 1);
    } else {
      throw VectorProblem("'environment' has a value that is no text");
    }
  }
}

WorkingDirectory::WorkingDirectory(const Value& header) {
  const Map& files = map_of(header, "files");
  for (const auto& [name, contents] : files)
    if (name.as_text().find('/') != std::string::npos || contents.kind() != Kind::text)
      throw VectorProblem("'files' holds names of files and their contents");
  std::string pattern = (std::filesystem::temp_directory_path() / "expression-vectors-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw VectorProblem("cannot make a temporary directory");
  path_ = pattern;
  std::filesystem::current_path(path_);
  for (const auto& [name, contents] : files) std::ofstream(name.as_text(), std::ios::binary) << contents.as_text();
}

WorkingDirectory::~WorkingDirectory() {
  std::error_code ignored;
  std::filesystem::current_path("/", ignored);
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace venvoy::test
