// What a file of vectors says before its cases.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "expressions/dependencies.hpp"
#include "schema/type.hpp"
#include "schema/value.hpp"
#include "vectors/encoding.hpp"

namespace venvoy::test {

// What the cases refer to by name.
struct Header {
  std::map<std::string, schema::TypePtr> schemas;
  std::map<std::string, schema::Value> documents;
  std::map<std::string, expressions::DependencyFilter> filters;
};

// Throws a VectorProblem if there is none of that name.
template <class T>
const T& named(const std::map<std::string, T>& all, const std::string& name) {
  const auto found = all.find(name);
  if (found == all.end()) throw VectorProblem("the header has no '" + name + "'");
  return found->second;
}

// These throw a VectorProblem, or an Error for a schema, when the header is not as it should be.
Header read_header(const schema::Value& header);
// Sets the variables of this process, or unsets them.
void set_environment(const schema::Value& header);

// A fresh current directory with the files of the header, removed afterwards.
class WorkingDirectory {
 public:
  explicit WorkingDirectory(const schema::Value& header);
  ~WorkingDirectory();
  WorkingDirectory(const WorkingDirectory&) = delete;

 private:
  std::filesystem::path path_;
};

}  // namespace venvoy::test
