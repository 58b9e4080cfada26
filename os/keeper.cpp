#include "os/keeper.hpp"

#include <cstdlib>
#include <dlfcn.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/internal/keeper_connection.hpp"
#include "os/internal/launch_keeper.hpp"

namespace venvoy::os {
namespace {

namespace fs = std::filesystem;

// The folders of the library that contains this code, and of the running program; they may be one.
std::vector<fs::path> own_folders() {
  std::vector<fs::path> result;
  std::error_code error;
  Dl_info info;
  // For the program itself the name is argv[0]: of use only if it is a path.
  if (::dladdr(reinterpret_cast<const void*>(&find_keeper_program), &info) != 0 && info.dli_fname) {
    const fs::path self = fs::canonical(info.dli_fname, error);
    if (!error) result.push_back(self.parent_path());
  }
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) result.push_back(program.parent_path());
  return result;
}

std::vector<fs::path> keeper_places() {
  if (const char* chosen = std::getenv("VENVOY_KEEPER"); chosen && *chosen) return {chosen};
  std::vector<fs::path> result;
  // Beside us in a build folder or a wheel; one level up from bin or lib; two from lib/x86_64-linux-gnu.
  for (const fs::path& folder : own_folders())
    for (const char* up : {"..", "../..", "."})
      result.push_back((folder / up / "libexec/venvoy/venvoy-keeper").lexically_normal());
  return result;
}

}  // namespace

fs::path find_keeper_program() {
  std::vector<std::string> looked_at;
  for (const fs::path& place : keeper_places()) {
    if (::access(place.c_str(), X_OK) == 0) return place;
    looked_at.push_back(place.string());
  }
  throw Error(ErrorCode::environment,
              fmt::format("the program venvoy-keeper is not there; looked at {}", quoted_list(looked_at)))
      .with_hint("install it there, or name it in the variable VENVOY_KEEPER");
}

fs::path find_support_file(std::string_view name) {
  fs::path path = find_keeper_program().parent_path() / name;
  if (::access(path.c_str(), R_OK) == 0) return path;
  throw Error(ErrorCode::environment, fmt::format("the file '{}' is not there", path.string()))
      .with_hint("it belongs beside venvoy-keeper: install venvoy again");
}

Keeper::Keeper(const boost::asio::any_io_executor& executor, const fs::path& program, std::uint64_t child_file_limit)
    : connection_(
          std::make_shared<internal::KeeperConnection>(executor, internal::launch_keeper(program), child_file_limit)) {}

Keeper::Keeper(const boost::asio::any_io_executor& executor, Fd channel, std::uint64_t child_file_limit)
    : connection_(std::make_shared<internal::KeeperConnection>(
          executor, internal::LaunchedKeeper{.socket = std::move(channel)}, child_file_limit)) {}

Keeper::~Keeper() {
  connection_->close();
}

Child Keeper::start(ChildSpec spec) {
  return Child(connection_->start(std::move(spec)));
}

LimitWatch Keeper::watch(pid_t pid, const ProcessLimits& limits) {
  return LimitWatch(connection_->watch(pid, limits));
}

pid_t Keeper::pid() const noexcept {
  return connection_->pid();
}

bool Keeper::is_gone() const noexcept {
  return connection_->is_gone();
}

}  // namespace venvoy::os
