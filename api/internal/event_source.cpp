#include "api/internal/event_source.hpp"

#include "base/clock.hpp"

namespace venvoy::api::internal {

EventSource::EventSource(std::shared_ptr<Observer> observer, std::string run)
    : observer_(std::move(observer)),
      maker_(std::move(run), system_clock(), [this](const report::Event& event) { tell(event); }) {
  if (observer_) all_.add(maker_);
}

void EventSource::tell(const report::Event& event) const {
  try {
    observer_->on_event(to_public(event));
  } catch (...) {
    // A host's mistake must not end the engine's loop.
  }
}

void EventSource::step_finished(const workflow::StepFinished& finished) {
  if (finished.outcome == workflow::Outcome::failed && !finished.error.empty())
    step_failures_.push_back({finished.name.step, finished.name.item, finished.error});
  all_.step_finished(finished);
}

}  // namespace venvoy::api::internal
