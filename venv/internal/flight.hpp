// A making that is under way, and those who wait for it.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/cancel.hpp"
#include "base/error.hpp"
#include "base/progress.hpp"
#include "os/event.hpp"
#include "venv/ready_env.hpp"

namespace venvoy::venv::internal {

// Used on the loop's thread.
class Flight {
 public:
  explicit Flight(const boost::asio::any_io_executor& executor) : executor_(executor), ended_(executor) {}

  // Of the making; cancelled when the last one has left.
  CancelToken token() const { return cancel_.token(); }
  // Everybody has left: it ends as soon as it can, and is of no use to newcomers.
  bool given_up() const noexcept { return cancel_.cancelled(); }

  void announce(const Progress& progress);
  void end(ReadyEnvPtr result, std::exception_ptr failure);
  // Completes when the making has ended, however that may be.
  boost::asio::awaitable<void> wait_for_end();

  // Waits for the result. When the token or the coroutine is cancelled it throws an Error (cancelled): at once if
  // others still wait, else when the making has ended. `self` keeps this object. `progress` may be null.
  static boost::asio::awaitable<ReadyEnvPtr> wait(std::shared_ptr<Flight> self, ProgressSink* progress,
                                                  CancelToken cancel);

 private:
  struct Waiter {
    os::Event event;
    ProgressSink* progress;
  };
  // In the list as long as this lives, also when the waiting coroutine is destroyed half-way.
  class Place;

  ReadyEnvPtr take() const;

  boost::asio::any_io_executor executor_;
  CancelSource cancel_;
  std::list<std::shared_ptr<Waiter>> waiters_;
  std::optional<Progress> stage_;  // the `_started` whose `_finished` has not come yet
  os::Event ended_;
  ReadyEnvPtr result_;
  // An Error is copied for each who waits: they add frames to it.
  std::optional<Error> error_;
  std::exception_ptr failure_;
};

}  // namespace venvoy::venv::internal
