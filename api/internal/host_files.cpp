#include "api/internal/host_files.hpp"

#include "os/files.hpp"

namespace venvoy::api::internal {

workflow::WorkflowFiles::File HostFiles::read(const std::string& name) const {
  if (const auto given = texts_.find(name); given != texts_.end()) return {given->second, name};
  const std::filesystem::path shown = (context_ / name).lexically_normal();
  const std::filesystem::path absolute = std::filesystem::absolute(shown);
  const auto read = [&] { return os::read_file(absolute, max_file_bytes); };
  return {in_context("error reading file " + absolute.string(), read), shown.string()};
}

}  // namespace venvoy::api::internal
