// Launching by forking from a process that has imported what the plugin needs (design D8).
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "base/log.hpp"
#include "cache/work_dir.hpp"
#include "deployer/launcher.hpp"
#include "os/keeper.hpp"

namespace venvoy::deployer {

// What a fork server may do before it forks.
struct Preparation {
  // What the plugin imports, its own modules left out.
  std::vector<std::string> modules = {};
  // Found harmless: none of them starts a thread, opens a descriptor or changes the surroundings of the process.
  bool checked = false;
  // Why each step runs the plugin's opening itself, which is what it does until it waits for work, its hello included.
  // Empty: nothing in it depends on the process or on the moment, and the server runs it, once. Without a value: nobody
  // has looked yet.
  std::optional<std::string> harm_of_opening = {};
};

struct ForkServerSettings {
  std::filesystem::path starter = {};  // plugin_starter.py; plugin_server.py lies beside it
  std::string plugin = {};             // for logs
  Preparation preparation = {};
  // How long the server may take to prepare itself.
  std::chrono::milliseconds start_timeout{60'000};
  // A server without steps ends after this time.
  std::chrono::milliseconds idle_time{5'000};
  std::function<cache::WorkDir()> make_work_dir = {};
  // Where the server works, on a machine that has none of those folders. Empty: in one of them.
  std::filesystem::path folder_there = {};
  // Told when something has been found out. May be empty.
  std::function<void(const Preparation&)> on_checked = {};
  Logger logger = {};
};

namespace internal {
class ForkSession;
}

// One fork server for one plugin: it is started with the first step, replaced when it dies, and ends when it has been
// idle for a while, or with this object. Where no server can be had, steps are launched by `plain`. All requests are of
// one module with the same arguments. Used on the executor's thread only.
class ForkServer final : public Launcher {
 public:
  // The keeper and `plain` outlive this object.
  ForkServer(const boost::asio::any_io_executor& executor, os::Keeper& keeper, Launcher& plain,
             ForkServerSettings settings);
  ~ForkServer() override;

  boost::asio::awaitable<Launched> launch(LaunchRequest request) override;

  // Ends the server now if it has no steps, else when the last of them has ended. The next launch starts another one.
  void retire() noexcept;

  // 0 when none is running. For tests and logs.
  pid_t pid() const noexcept;

 private:
  boost::asio::awaitable<std::shared_ptr<internal::ForkSession>> serving_session(const LaunchRequest& request);
  void begin(const LaunchRequest& request);
  void note_preparation(const internal::ForkSession& session);
  void log_opening() const;
  void look_at_end_of(const std::shared_ptr<internal::ForkSession>& session);
  void give_up(const std::string& reason);

  boost::asio::any_io_executor executor_;
  os::Keeper& keeper_;
  Launcher& plain_;
  ForkServerSettings settings_;
  std::shared_ptr<internal::ForkSession> session_;  // null before the first start, and after an end
  int deaths_ = 0;
  bool unusable_ = false;
};

}  // namespace venvoy::deployer
