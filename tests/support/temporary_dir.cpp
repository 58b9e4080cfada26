#include "support/temporary_dir.hpp"

#include <stdexcept>
#include <stdlib.h>
#include <string>

#include "os/files.hpp"

namespace venvoy::test {

TemporaryDir::TemporaryDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "venvoy-test-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("cannot make " + pattern);
  path_ = pattern;
}

TemporaryDir::~TemporaryDir() {
  os::remove_tree(path_);
}

}  // namespace venvoy::test
