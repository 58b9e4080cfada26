#include "api/internal/cancellation_access.hpp"

namespace venvoy {

Cancellation::Cancellation() : state_(std::make_shared<State>()) {}

void Cancellation::cancel() {
  state_->source.cancel();
}

bool Cancellation::cancelled() const noexcept {
  return state_->source.cancelled();
}

}  // namespace venvoy
