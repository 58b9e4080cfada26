// One process of a fork server, as the engine sees it; scripts/plugin_server.py is the other side and tells the
// protocol.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/log.hpp"
#include "cache/work_dir.hpp"
#include "deployer/fork_server.hpp"
#include "deployer/internal/stderr_reader.hpp"
#include "deployer/launcher.hpp"
#include "os/child.hpp"
#include "os/event.hpp"
#include "os/fd.hpp"

namespace venvoy::deployer::internal {

class ForkSession;

// A forked process, shared by its handle and the session.
struct ForkedStep {
  ForkedStep(const boost::asio::any_io_executor& executor, std::uint64_t number) : id(number), ended(executor) {}
  void finish(os::ExitInfo info) {
    if (exit) return;
    exit = std::move(info);
    ended.fire();
  }

  const std::uint64_t id;
  pid_t pid = 0;
  os::ProcessLimits limits;
  os::LimitWatch watch;  // while there are limits
  std::optional<os::ExitInfo> exit;
  os::Event ended;
  std::optional<std::chrono::steady_clock::time_point> killed;
};

// Lives as long as its server and the handles of its steps: each holds a share. When it goes, the server ends and
// everything that it has forked is killed.
class ForkSession : public std::enable_shared_from_this<ForkSession> {
 public:
  enum class State {
    starting,
    serving,
    retired,  // on purpose
    harmful,  // a module must not be imported before a fork: harmful_module()
    dead,     // by itself: end_text()
  };

  ForkSession(const boost::asio::any_io_executor& executor, Logger logger, cache::WorkDir work_dir);
  ~ForkSession();
  ForkSession(const ForkSession&) = delete;
  ForkSession& operator=(const ForkSession&) = delete;

  // Called once. Throws an Error (start) when the keeper is gone.
  void start(os::Keeper& keeper, const ForkServerSettings& settings, const LaunchRequest& like);

  State state() const noexcept { return state_; }
  // Fires when the state is no longer `starting`.
  os::Event& settled() noexcept { return settled_; }
  // Modules that could not be imported.
  const std::vector<std::string>& missing() const noexcept { return missing_; }
  // Whether it has run the plugin's opening; else why not.
  bool has_opened() const noexcept { return harm_of_opening_.empty(); }
  const std::string& harm_of_opening() const noexcept { return harm_of_opening_; }
  const std::string& harmful_module() const noexcept { return harmful_module_; }
  const std::string& end_text() const noexcept { return end_text_; }
  // Whether it has ever been able to fork.
  bool was_ready() const noexcept { return was_ready_; }
  pid_t pid() const noexcept { return server_.pid(); }

  // False for what cannot be said in one message, and for another environment than the plugin's opening has seen.
  bool can_fork(const LaunchRequest& request) const;
  // Asks for a fork with these as 0, 1 and 2. Never fails: that nothing was started is the exit() of the process.
  std::unique_ptr<RunningProcess> fork(const LaunchRequest& request, std::vector<os::Fd> standard);

  void kill(ForkedStep& step) noexcept;
  // See ForkServer::retire.
  void retire_when_idle() noexcept;

 private:
  struct Outgoing {
    std::string text;
    std::vector<os::Fd> descriptors;
    std::shared_ptr<ForkedStep> step;  // that it starts, if it does
  };

  std::string fork_message(std::uint64_t id, const LaunchRequest& request) const;
  void look_for_the_undead();
  void send(Outgoing message);
  void flush();
  void flush_later(int error);
  void listen();
  void on_readable();
  bool receive_one();
  void on_message(std::string_view message);
  void on_started(ForkedStep& step, std::string_view pid);
  void hold_to_limits(ForkedStep& step, pid_t pid);
  void finish(std::string_view id, os::ExitInfo info);
  void watch_server();
  void on_server_end();
  void settle(State state);
  void time_idleness();
  void retire();

  boost::asio::any_io_executor executor_;
  Logger logger_;
  cache::WorkDir work_dir_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer timer_;  // of the start, then of idleness
  boost::asio::steady_timer retry_;
  boost::asio::steady_timer undead_;
  os::Keeper* keeper_ = nullptr;  // outlives this; since start()
  os::Child server_;
  std::unique_ptr<StderrReader> errors_;
  os::Event settled_;
  State state_ = State::starting;
  std::vector<std::string> missing_;
  std::string harm_of_opening_ = "it has not been run";
  std::string harmful_module_;
  std::string end_text_;
  std::chrono::milliseconds idle_time_{0};
  bool retires_when_idle_ = false;
  bool was_ready_ = false;
  os::Environment environment_;  // of the server
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::shared_ptr<ForkedStep>> steps_;
  std::deque<Outgoing> outgoing_;
  bool waits_to_send_ = false;
  std::vector<char> received_;
};

}  // namespace venvoy::deployer::internal
