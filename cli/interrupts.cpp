#include "cli/interrupts.hpp"

#include <atomic>
#include <csignal>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include "base/exit_code.hpp"

namespace venvoy::cli {

struct Interrupts::State {
  State(const boost::asio::any_io_executor& given_executor, Logger given_logger)
      : executor(given_executor), signals(given_executor, SIGINT, SIGTERM), logger(std::move(given_logger)) {}

  void handle(int number) {
    interrupted = true;
    if (number == SIGINT)
      ++interrupt_count;
    else
      ++terminate_count;
    if (interrupt_count == 3 || terminate_count == 2) {
      logger.warning("Force exiting. Running plugins are killed.");
      ::_exit(exit_number(RunExit::prepare_failed));
    }
    if (interrupt_count + terminate_count == 1) {
      logger.info("Requesting graceful shutdown.");
      if (on_first) on_first();
    } else {
      logger.warning("Hit CTRL-C again to exit immediately without cleanup.");
    }
  }

  boost::asio::any_io_executor executor;
  boost::asio::signal_set signals;
  Logger logger;
  std::function<void()> on_first;
  std::atomic<bool> interrupted = false;
  int interrupt_count = 0;
  int terminate_count = 0;
};

Interrupts::Interrupts(const boost::asio::any_io_executor& executor, Logger logger, std::function<void()> on_first)
    : state_(std::make_shared<State>(executor, std::move(logger))) {
  state_->on_first = std::move(on_first);
  boost::asio::post(executor, [state = state_] { wait(state); });
}

Interrupts::~Interrupts() {
  // On the executor, where the handlers run; none of them runs after this object's owner has been left.
  boost::asio::post(state_->executor, [state = state_] {
    state->on_first = nullptr;
    boost::system::error_code ignored;
    state->signals.cancel(ignored);
  });
}

bool Interrupts::interrupted() const noexcept {
  return state_->interrupted;
}

void Interrupts::wait(const std::shared_ptr<State>& state) {
  state->signals.async_wait([state](const boost::system::error_code& error, int number) {
    if (error) return;
    state->handle(number);
    wait(state);
  });
}

}  // namespace venvoy::cli
