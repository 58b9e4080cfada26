// Launching by starting Python anew each time.
#pragma once

#include <filesystem>

#include <boost/asio/any_io_executor.hpp>

#include "deployer/launcher.hpp"
#include "os/keeper.hpp"

namespace venvoy::deployer {

class ExecLauncher final : public Launcher {
 public:
  // `starter` is the script plugin_starter.py. The keeper outlives the launcher.
  ExecLauncher(const boost::asio::any_io_executor& executor, os::Keeper& keeper, std::filesystem::path starter);

  boost::asio::awaitable<Launched> launch(LaunchRequest request) override;

 private:
  boost::asio::any_io_executor executor_;
  os::Keeper& keeper_;
  std::filesystem::path starter_;
};

}  // namespace venvoy::deployer
