#include "cli/context_files.hpp"

#include "os/files.hpp"

namespace venvoy::cli {

ContextFiles::ContextFiles(const std::filesystem::path& context)
    : context_(context), absolute_(std::filesystem::absolute(context).lexically_normal()) {}

workflow::WorkflowFiles::File ContextFiles::read(const std::string& name) const {
  const std::filesystem::path path(name);
  const std::filesystem::path absolute = (path.is_absolute() ? path : absolute_ / path).lexically_normal();
  const bool as_written = path.is_absolute() || context_ == "." || context_.empty();
  File file;
  file.name = as_written ? name : (context_ / path).lexically_normal().string();
  try {
    file.text = os::read_file_or_pipe(absolute, max_file_bytes);
  } catch (Error& error) {
    throw error.add_frame("error reading file " + absolute.string());
  }
  texts_[file.name] = file.text;
  return file;
}

std::optional<std::string> ContextFiles::text_of(const std::string& shown_name) const {
  const auto place = texts_.find(shown_name);
  if (place == texts_.end()) return std::nullopt;
  return place->second;
}

}  // namespace venvoy::cli
