// A host's workflow files: on the disk, or given as texts.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>

#include "workflow/engine.hpp"

namespace venvoy::api::internal {

class HostFiles final : public workflow::WorkflowFiles {
 public:
  static constexpr std::size_t max_file_bytes = std::size_t{64} << 20;

  // `texts` by name go before the files; relative names start in `context`.
  HostFiles(std::filesystem::path context, std::map<std::string, std::string> texts)
      : context_(std::move(context)), texts_(std::move(texts)) {}

  // Throws an Error (io) "error reading file <absolute path> (…)".
  File read(const std::string& name) const;
  File read_sub_workflow(const std::string& name) const override { return read(name); }

 private:
  std::filesystem::path context_;
  std::map<std::string, std::string> texts_;
};

}  // namespace venvoy::api::internal
