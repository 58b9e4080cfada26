// Files of a command line: resolved against the context directory, named as the user knows them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "workflow/engine.hpp"

namespace venvoy::cli {

// Spec/workflow.md 1.2. What was read is kept, for the lines that error messages show.
class ContextFiles final : public workflow::WorkflowFiles {
 public:
  static constexpr std::size_t max_file_bytes = std::size_t{64} << 20;

  // Relative to the working directory; not checked for existence.
  explicit ContextFiles(const std::filesystem::path& context);

  // Throws an Error (io) "error reading file <absolute path> (…)".
  File read(const std::string& name) const;
  File read_sub_workflow(const std::string& name) const override { return read(name); }

  // Makes a text known by a name, as if it had been read from a file: for the lines that error messages show.
  void add(std::string shown_name, std::string text) { texts_[std::move(shown_name)] = std::move(text); }

  // The text of a file that was read, by the name that positions give it.
  std::optional<std::string> text_of(const std::string& shown_name) const;

 private:
  std::filesystem::path context_;
  std::filesystem::path absolute_;
  mutable std::map<std::string, std::string> texts_;
};

}  // namespace venvoy::cli
