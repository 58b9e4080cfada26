#include "venv/internal/flight.hpp"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace venvoy::venv::internal {

namespace asio = boost::asio;

class Flight::Place {
 public:
  Place(Flight& flight, ProgressSink* progress)
      : flight_(flight), waiter_(std::make_shared<Waiter>(Waiter{os::Event(flight.executor_), progress})) {
    flight_.waiters_.push_back(waiter_);
  }
  ~Place() { leave(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  void leave() { flight_.waiters_.remove(waiter_); }
  const std::shared_ptr<Waiter>& waiter() const noexcept { return waiter_; }

 private:
  Flight& flight_;
  std::shared_ptr<Waiter> waiter_;
};

void Flight::announce(const Progress& progress) const {
  for (const auto& waiter : waiters_)
    if (waiter->progress) waiter->progress->progress(progress);
}

void Flight::end(ReadyEnvPtr result, std::exception_ptr failure) {
  result_ = std::move(result);
  failure_ = std::move(failure);
  try {
    if (failure_) std::rethrow_exception(failure_);
  } catch (const Error& error) {
    error_ = error;
  } catch (...) {
    // Passed on as it is.
  }
  ended_.fire();
  for (const auto& waiter : waiters_) waiter->event.fire();
}

ReadyEnvPtr Flight::take() const {
  if (error_) throw Error(*error_);
  if (failure_) std::rethrow_exception(failure_);
  return result_;
}

asio::awaitable<void> Flight::wait_for_end() {
  const auto quietly = asio::as_tuple(asio::use_awaitable);
  while (!ended_.fired()) co_await ended_.wait(quietly);
}

asio::awaitable<ReadyEnvPtr> Flight::wait(std::shared_ptr<Flight> self, ProgressSink* progress, CancelToken cancel) {
  Place place(*self, progress);
  const auto registration = cancel.on_cancel([executor = self->executor_, waiter = place.waiter()] {
    asio::post(executor, [waiter] { waiter->event.fire(); });
  });
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  const auto quietly = asio::as_tuple(asio::use_awaitable);
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await place.waiter()->event.wait(quietly);
  const bool gave_up = !self->ended_.fired();
  if (gave_up) {
    // The last one stays until the end, so that he is told how it ends.
    if (self->waiters_.size() > 1) {
      place.leave();
    } else {
      self->cancel_.cancel();
      co_await self->wait_for_end();
    }
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (gave_up) throw Error(ErrorCode::cancelled, "cancelled");
  co_return self->take();
}

}  // namespace venvoy::venv::internal
