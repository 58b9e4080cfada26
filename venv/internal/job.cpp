#include "venv/internal/job.hpp"

#include <utility>

namespace venvoy::venv::internal {

Progress progress_of(Progress::Kind kind, const std::string& reference) {
  Progress progress = {};
  progress.kind = kind;
  progress.reference = reference;
  return progress;
}

Stage::Stage(const Job& job, Progress::Kind started, Progress::Kind finished, std::string text)
    : job_(job), finished_(finished) {
  Progress progress = progress_of(started, job.shown);
  progress.text = std::move(text);
  job.announce(std::move(progress));
}

Stage::~Stage() {
  end({}, job_.cancel.cancelled() ? "cancelled" : "failed");
}

void Stage::done(std::string text) {
  end(std::move(text), "ok");
}

void Stage::failed(const Error& error) {
  if (job_.cancel.cancelled()) return end({}, "cancelled");
  end(error.message().substr(0, error.message().find('\n')), "failed");
}

void Stage::end(std::string text, std::string outcome) {
  if (std::exchange(ended_, true)) return;
  Progress progress = progress_of(finished_, job_.shown);
  progress.text = std::move(text);
  progress.outcome = std::move(outcome);
  job_.announce(std::move(progress));
}

std::string time_text(WallTime time) {
  const std::string text = rfc3339_utc(time);
  return text.substr(0, text.find('.')) + "Z";
}

std::string name_of(const cache::KeyInputs& inputs) {
  cache::KeyBuilder builder;
  for (const auto& [name, value] : inputs) builder.add(name, value);
  return builder.finish().hex();
}

}  // namespace venvoy::venv::internal
