#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "expressions/functions.hpp"
#include "expressions/internal/builtins.hpp"
#include "expressions/internal/case_mapping.hpp"
#include "expressions/internal/message.hpp"

namespace venvoy::expressions {

using schema::List;
using schema::Value;

Value split_string(Arguments arguments) {
  std::string_view rest = arguments[0].as_text();
  const std::string& separator = arguments[1].as_text();
  List parts;
  if (separator.empty()) {
    while (!rest.empty()) {
      parts.emplace_back(rest.substr(0, code_point_length(rest)));
      rest.remove_prefix(code_point_length(rest));
    }
    return parts;
  }
  for (std::size_t at = 0; (at = rest.find(separator)) != std::string_view::npos;) {
    parts.emplace_back(rest.substr(0, at));
    rest.remove_prefix(at + separator.size());
  }
  parts.emplace_back(rest);
  return parts;
}

namespace {

bool has_nul(const std::string& text) {
  return text.find('\0') != std::string::npos;
}

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

ExpressionError unreadable(const std::string& path, const std::string& problem) {
  return ExpressionError(ErrorCode::evaluation, "readFile: " + problem + ": '" + excerpt(path) + "'");
}

ExpressionError unreadable(const std::string& path, int error_number) {
  return unreadable(path, system_error(error_number, "the file cannot be read").message());
}

}  // namespace

Value read_file(Arguments arguments) {
  const std::string& path = arguments[0].as_text();
  if (has_nul(path)) throw unreadable(path, EINVAL);
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (!file) throw unreadable(path, errno);
  std::string contents;
  char buffer[1 << 16];
  std::size_t count = 0;
  while ((count = std::fread(buffer, 1, sizeof buffer, file.get())) > 0) {
    contents.append(buffer, count);
    if (contents.size() > max_read_file_bytes)
      throw unreadable(path, "the file is larger than " + std::to_string(max_read_file_bytes) + " bytes");
  }
  if (std::ferror(file.get())) throw unreadable(path, errno);
  return contents;
}

Value get_env_var(Arguments arguments) {
  const std::string& name = arguments[0].as_text();
  // getenv() would take the part of a name behind '=' for the start of a value.
  const bool possible = !name.empty() && !has_nul(name) && name.find('=') == std::string::npos;
  const char* value = possible ? std::getenv(name.c_str()) : nullptr;
  return value ? Value(value) : arguments[1];
}

}  // namespace venvoy::expressions
