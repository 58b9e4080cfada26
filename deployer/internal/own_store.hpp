// Machines that share no store with this one: each has its own, on its own disk, at the same path.
#pragma once

#include <filesystem>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "os/keeper.hpp"
#include "venv/ready_env.hpp"

namespace venvoy::deployer::internal {

// An environment in the store of another machine, which nobody removes there as long as this object lives. It is
// brought there once, from the store here; the machine needs no network for it, and nothing is installed there. Used on
// the loop's thread only.
class EnvironmentThere {
 public:
  // Begins to bring it, and makes the work folder there. The keepers, of this machine and of that one, outlive this
  // object; store_filler.py lies at `script_here` and `script_there`.
  EnvironmentThere(const boost::asio::any_io_executor& executor, os::Keeper& here, os::Keeper& there,
                   venv::ReadyEnvPtr environment, const std::filesystem::path& work_folder,
                   const std::filesystem::path& script_here, const std::filesystem::path& script_there);
  ~EnvironmentThere();

  // Completes when it is there. Throws an Error (start) that says why it is not; then this object is of no more use.
  boost::asio::awaitable<void> ready();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Make and remove a folder on the machine of that keeper. Throws an Error (start); does not throw.
boost::asio::awaitable<void> make_folder_there(os::Keeper& there, std::filesystem::path folder);
boost::asio::awaitable<void> remove_folder_there(os::Keeper& there, std::filesystem::path folder);

}  // namespace venvoy::deployer::internal
