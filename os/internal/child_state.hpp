// What the handles of a child share.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "os/child.hpp"
#include "os/event.hpp"

namespace venvoy::os::internal {

class KeeperConnection;

struct ChildState {
  ChildState(const boost::asio::any_io_executor& executor, std::shared_ptr<KeeperConnection> connection,
             std::uint64_t number)
      : keeper(std::move(connection)), token(number), ended(executor) {}
  // Kills the group if the process still runs.
  ~ChildState();
  ChildState(const ChildState&) = delete;
  ChildState& operator=(const ChildState&) = delete;

  void finish(const ExitInfo& info) {
    exit = info;
    exit->exceeded = exceeded;
    ended.fire();
  }

  const std::shared_ptr<KeeperConnection> keeper;
  const std::uint64_t token;
  pid_t pid = 0;
  std::optional<ExitInfo> exit;
  std::optional<ExceededLimit> exceeded;
  Event ended;
  // The start request still waits here in the engine; signals wait with it.
  bool waiting = true;
  std::vector<int> early_signals;
};

// What the handles of a watch share.
struct WatchState {
  WatchState(std::shared_ptr<KeeperConnection> connection, std::uint64_t number)
      : keeper(std::move(connection)), token(number) {}
  ~WatchState();
  WatchState(const WatchState&) = delete;
  WatchState& operator=(const WatchState&) = delete;

  void settle() {
    if (settled) std::exchange(settled, nullptr)(exceeded);
  }

  const std::shared_ptr<KeeperConnection> keeper;
  const std::uint64_t token;
  std::optional<ExceededLimit> exceeded;
  std::function<void(std::optional<ExceededLimit>)> settled;
};

}  // namespace venvoy::os::internal
