#include "venv/internal/flight.hpp"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace venvoy::venv::internal {

namespace asio = boost::asio;

namespace {

using Kind = Progress::Kind;

// Of a `_started`.
std::optional<Kind> finish_of(Kind kind) {
  if (kind == Kind::resolve_started) return Kind::resolve_finished;
  if (kind == Kind::build_started) return Kind::build_finished;
  if (kind == Kind::install_started) return Kind::install_finished;
  return std::nullopt;
}

}  // namespace

class Flight::Place {
 public:
  // Who comes late hears what is under way.
  Place(Flight& flight, ProgressSink* progress)
      : flight_(flight), waiter_(std::make_shared<Waiter>(Waiter{os::Event(flight.executor_), progress})) {
    flight_.waiters_.push_back(waiter_);
    if (flight_.stage_ && progress) progress->progress(*flight_.stage_);
  }
  ~Place() { leave(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  void leave() { flight_.waiters_.remove(waiter_); }
  // For him the stage ends here, though others wait on.
  void leave_cancelled() {
    leave();
    if (!flight_.stage_ || !waiter_->progress) return;
    Progress end = {};
    end.kind = finish_of(flight_.stage_->kind).value();
    end.reference = flight_.stage_->reference;
    end.outcome = "cancelled";
    waiter_->progress->progress(end);
  }
  const std::shared_ptr<Waiter>& waiter() const noexcept { return waiter_; }

 private:
  Flight& flight_;
  std::shared_ptr<Waiter> waiter_;
};

void Flight::announce(const Progress& progress) {
  if (finish_of(progress.kind))
    stage_ = progress;
  else if (stage_ && progress.kind == finish_of(stage_->kind))
    stage_.reset();
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
      place.leave_cancelled();
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
