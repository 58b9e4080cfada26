#include "os/keeper_program/proc_text.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

#include "os/keeper_program/descriptor.hpp"

namespace venvoy::keeper {

std::optional<std::string> contents(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string result;
  char block[4096];
  for (;;) {
    const ssize_t count = ::read(file.get(), block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) return result;
    result.append(block, static_cast<std::size_t>(count));
  }
}

const char* after_name(const std::string& stat) noexcept {
  const std::size_t end_of_name = stat.rfind(')');
  if (end_of_name == stat.npos || stat.size() < end_of_name + 5) return nullptr;
  return stat.c_str() + end_of_name + 2;
}

}  // namespace venvoy::keeper
