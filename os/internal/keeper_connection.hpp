// The engine's end of the socket to the keeper: requests out, replies in, nothing ever blocks.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "os/internal/child_state.hpp"
#include "os/internal/keeper_protocol.hpp"
#include "os/internal/launch_keeper.hpp"

namespace venvoy::os::internal {

// Kept alive by the Keeper and by the handles of children; operations under way hold it weakly. It listens only while
// answers are due, so that an idle keeper does not keep an io_context's run() from returning.
class KeeperConnection : public std::enable_shared_from_this<KeeperConnection> {
 public:
  KeeperConnection(const boost::asio::any_io_executor& executor, LaunchedKeeper launched, std::uint64_t file_limit);
  ~KeeperConnection() { close(); }

  pid_t pid() const noexcept { return pid_; }
  bool is_gone() const noexcept { return gone_; }

  // Throws an Error (start) if the keeper is gone.
  std::shared_ptr<ChildState> start(ChildSpec spec);
  void signal(ChildState& child, int number) noexcept;
  // The last handle is going.
  void abandon(ChildState& child) noexcept;

  // See Keeper::watch. Nothing is watched when the keeper is gone.
  std::shared_ptr<WatchState> watch(pid_t pid, const ProcessLimits& limits);
  // The watch is settled when the keeper has answered, or at once when it is gone.
  void end_watch(std::uint64_t token);
  // The last handle is going.
  void forget_watch(std::uint64_t token) noexcept;

  // Ends the keeper and with it all children; every child that still runs is `lost`. Waits until the keeper has ended.
  void close() noexcept;

 private:
  struct WaitingStart {
    keeper_protocol::Request request;
    std::string block;
    std::vector<Fd> descriptors;
  };
  enum class Sent { yes, not_now, never };

  // In a process that the host has forked: it has copies of everything, and must not speak for the engine.
  bool is_copy() const noexcept;
  bool answers_are_due() const noexcept {
    return !gone_ && (unanswered_ > 0 || !children_.empty() || !watches_.empty());
  }
  void listen();
  void on_readable();
  bool receive_one();
  void settle_watch(std::uint64_t token);
  void on_reply(const keeper_protocol::Reply& reply);
  void on_exceeded(const keeper_protocol::Reply& reply);
  void flush();
  bool send_next();
  bool send_start(WaitingStart& start);
  bool send_short(const keeper_protocol::Request& request);
  // `error`: errno if the answer is `never`.
  Sent send(const keeper_protocol::Request& request, const std::vector<int>& descriptors, int& error);
  void try_again_later(int error);
  void finish(std::uint64_t token, const ExitInfo& info);
  void lost();
  void give_up() noexcept;
  // Waits for it that long, and buries it.
  bool keeper_has_ended(int milliseconds) noexcept;

  boost::asio::any_io_executor executor_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::posix::stream_descriptor process_;  // a pidfd: readable when the keeper has ended
  boost::asio::steady_timer retry_;
  pid_t pid_;
  bool is_elsewhere_;
  pid_t engine_;
  std::uint64_t file_limit_;
  std::uint64_t last_token_ = 0;
  std::map<std::uint64_t, std::weak_ptr<ChildState>> children_;
  std::map<std::uint64_t, std::weak_ptr<WatchState>> watches_;
  std::deque<WaitingStart> starts_;
  std::deque<keeper_protocol::Request> short_ones_;  // requests without descriptors
  std::size_t unanswered_ = 0;                       // starts that are with the keeper
  bool listens_ = false;
  bool waits_to_send_ = false;
  bool gone_ = false;
};

}  // namespace venvoy::os::internal
