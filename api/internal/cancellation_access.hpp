// The inside of a public Cancellation.
#pragma once

#include "api/venvoy/cancellation.hpp"
#include "base/cancel.hpp"

namespace venvoy {

struct Cancellation::State {
  CancelSource source;
};

class CancellationAccess {
 public:
  static CancelToken token(const Cancellation& cancellation) { return cancellation.state_->source.token(); }
};

}  // namespace venvoy
