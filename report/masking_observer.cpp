#include "report/masking_observer.hpp"

#include "report/internal/pem.hpp"

namespace venvoy::report {

namespace {

// A block that does not end: what comes then is no part of it any more.
constexpr std::size_t max_pem_lines = 1000;

std::string log_key(const workflow::StepName& name) {
  return name.loop + ' ' + name.item + ' ' + name.step;
}

}  // namespace

void MaskingObserver::progress(const Progress& event) {
  Progress masked = event;
  masked.reference = masker_.masked_text(event.reference);
  masked.text = masker_.masked_text(event.text);
  next_.progress(masked);
}

void MaskingObserver::run_started(const workflow::RunStarted& event) {
  workflow::RunStarted masked = event;
  masked.input = masker_.masked(event.input);
  next_.run_started(masked);
}

void MaskingObserver::run_finished(const workflow::RunFinished& event) {
  workflow::RunFinished masked = event;
  masked.output = masker_.masked(event.output);
  masked.error = masker_.masked_text(event.error);
  next_.run_finished(masked);
}

void MaskingObserver::step_deployed(const workflow::StepDeployed& event) {
  workflow::StepDeployed masked = event;
  masked.reference = masker_.masked_text(event.reference);
  next_.step_deployed(masked);
}

void MaskingObserver::step_started(const workflow::StepStarted& event) {
  workflow::StepStarted masked = event;
  masked.input = masker_.masked(event.input);
  next_.step_started(masked);
}

void MaskingObserver::step_finished(const workflow::StepFinished& event) {
  in_pem_.erase(log_key(event.name));
  workflow::StepFinished masked = event;
  masked.data = masker_.masked(event.data);
  masked.error = masker_.masked_text(event.error);
  next_.step_finished(masked);
}

void MaskingObserver::step_log(const workflow::StepLog& event) {
  const std::string key = log_key(event.name);
  const auto block = in_pem_.find(key);
  if (block != in_pem_.end()) {
    if (internal::ends_pem(event.line) || ++block->second > max_pem_lines) in_pem_.erase(block);
    return;  // its first line stands for it
  }
  if (internal::begins_pem(event.line) && !internal::ends_pem(event.line)) in_pem_.emplace(key, 0);
  workflow::StepLog masked = event;
  masked.line = masker_.masked_text(event.line);
  next_.step_log(masked);
}

void MaskingObserver::item_started(const workflow::ItemStarted& event) {
  next_.item_started(event);
}

void MaskingObserver::item_finished(const workflow::ItemFinished& event) {
  workflow::ItemFinished masked = event;
  masked.error = masker_.masked_text(event.error);
  next_.item_finished(masked);
}

}  // namespace venvoy::report
