// Asking work to stop.
#pragma once

#include <memory>

namespace venvoy {

// A request to stop. Copies share it: the host keeps one and gives copies to calls. All members may be called from any
// thread, also from an Observer, but not from a signal handler.
class Cancellation {
 public:
  Cancellation();
  // Once said, it stays said. Further calls do nothing.
  void cancel();
  bool cancelled() const noexcept;

 private:
  friend class CancellationAccess;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace venvoy
