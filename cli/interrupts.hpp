// Ctrl-C and SIGTERM (spec/workflow.md 1.9, 9-14).
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "base/log.hpp"

namespace venvoy::cli {

// While it lives, the first SIGINT or SIGTERM calls `on_first` on the executor, the second SIGINT warns, and the third
// SIGINT or the second SIGTERM ends the process with exit code 1 at once; its children die with their keeper.
class Interrupts {
 public:
  Interrupts(const boost::asio::any_io_executor& executor, Logger logger, std::function<void()> on_first);
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  bool interrupted() const noexcept;

 private:
  struct State;
  static void wait(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;
};

}  // namespace venvoy::cli
