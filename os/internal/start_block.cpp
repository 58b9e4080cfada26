#include "os/internal/start_block.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <system_error>
#include <unistd.h>

#include "os/internal/keeper_protocol.hpp"

namespace venvoy::os::internal {
namespace {

// Appends texts, each with its NUL, until one cannot be taken.
class Texts {
 public:
  explicit Texts(std::string& block) : block_(block) {}

  void add(std::string_view text) {
    if (error_ != 0) return;
    if (text.find('\0') != text.npos) {
      error_ = EINVAL;
    } else if (text.size() >= keeper_protocol::max_start_block - block_.size()) {
      error_ = E2BIG;
    } else {
      block_.append(text).push_back('\0');
    }
  }
  int error() const noexcept { return error_; }

 private:
  std::string& block_;
  int error_ = 0;
};

// The keeper has a working directory of its own.
std::filesystem::path absolute_directory(const ChildSpec& spec, std::error_code& error) {
  if (spec.working_directory.empty()) return std::filesystem::current_path(error);
  return std::filesystem::absolute(spec.working_directory, error);
}

}  // namespace

int write_start_block(const ChildSpec& spec, std::uint64_t file_limit, std::string& block) {
  std::error_code error;
  const std::filesystem::path directory = absolute_directory(spec, error);
  if (error) return error.value();
  keeper_protocol::StartBlock header;
  header.file_limit = file_limit;
  header.arguments = static_cast<std::uint32_t>(spec.arguments.size() + 1);
  header.environment = static_cast<std::uint32_t>(spec.environment.size());
  block.assign(reinterpret_cast<const char*>(&header), sizeof header);
  Texts texts(block);
  texts.add(directory.native());
  texts.add(spec.program.native());
  texts.add(spec.name.empty() ? spec.program.native() : spec.name);
  for (const std::string& argument : spec.arguments) texts.add(argument);
  for (const std::string& variable : spec.environment) texts.add(variable);
  return texts.error();
}

Fd sealed_memfd(std::string_view bytes) {
  Fd memfd(::memfd_create("venvoy-start", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  while (memfd && !bytes.empty()) {
    const ssize_t count = ::write(memfd.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return {};
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  constexpr int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (memfd && ::fcntl(memfd.get(), F_ADD_SEALS, seals) != 0) return {};
  return memfd;
}

}  // namespace venvoy::os::internal
