// A directory that is built aside and then appears whole, or not at all.
#pragma once

#include <filesystem>

namespace venvoy::os {

class StagingDir {
 public:
  enum class Published { by_us, by_another };

  // Made below `beside`, which must be on the file system of the target.
  explicit StagingDir(const std::filesystem::path& beside);
  // Removes the tree unless it was published.
  ~StagingDir();
  StagingDir(const StagingDir&) = delete;
  StagingDir& operator=(const StagingDir&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

  // Flushes everything to disk and renames the directory to `target`. If something is there already, ours is
  // discarded; that is a result, not an error. Throws an Error (io) otherwise.
  [[nodiscard]] Published publish(const std::filesystem::path& target);

 private:
  std::filesystem::path path_;
};

}  // namespace venvoy::os
