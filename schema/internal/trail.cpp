#include "schema/internal/trail.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "schema/internal/wording.hpp"

namespace venvoy::schema {

Trail Trail::next(Step step, const Position* at) const {
  Trail trail;
  trail.before_ = this;
  trail.at_ = at;
  trail.depth_ = depth_ + 1;
  trail.step_ = step;
  return trail;
}

Trail Trail::property(std::string_view name, const Position* at) const {
  Trail trail = next(Step::property, at);
  trail.name_ = name;
  return trail;
}

Trail Trail::item(std::size_t index, const Position* at) const {
  Trail trail = next(Step::item, at);
  trail.index_ = index;
  return trail;
}

Trail Trail::value(const Value& key, const Position* at) const {
  Trail trail = next(Step::value, at);
  trail.key_ = &key;
  return trail;
}

Trail Trail::value_named(std::string_view key) const {
  Trail trail = next(Step::value, nullptr);
  trail.name_ = key;
  return trail;
}

Trail Trail::key(const Value& key, const Position* at) const {
  Trail trail = next(Step::key, at);
  trail.key_ = &key;
  return trail;
}

Trail Trail::every_value() const {
  return next(Step::every_value, nullptr);
}
Trail Trail::every_key() const {
  return next(Step::every_key, nullptr);
}

std::string Trail::segment() const {
  const auto key = [this] { return key_ ? plain(*key_) : shortened(name_); };
  switch (step_) {
    case Step::root:
      return {};
    case Step::property:
      return shortened(name_);
    case Step::item:
      return fmt::format("[{}]", index_);
    case Step::value:
      return fmt::format("[{}]", key());
    case Step::key:
      return fmt::format("{{{}}}", key());
    case Step::every_value:
      return "[*]";
    case Step::every_key:
      return "{*}";
  }
  return {};
}

Path Trail::path() const {
  Path path;
  path.reserve(static_cast<std::size_t>(depth_));
  for (const Trail* step = this; step->before_; step = step->before_) path.push_back(step->segment());
  std::ranges::reverse(path);
  return path;
}

const Position* Trail::position() const noexcept {
  for (const Trail* step = this; step; step = step->before_)
    if (step->at_ && step->at_->known()) return step->at_;
  return nullptr;
}

void Findings::add(const Trail& where, std::string text, const Position* at) {
  if (full()) return;
  if (!at || !at->known()) at = where.position();
  mismatches_.push_back({where.path(), std::move(text), at ? *at : Position()});
}

void Findings::add(Mismatch mismatch) {
  if (!full()) mismatches_.push_back(std::move(mismatch));
}

void Findings::throw_if_any() {
  if (!empty()) throw MismatchError(take());
}

bool too_deep(const Trail& where, Findings& findings) {
  if (where.depth() <= check_limits.max_depth) return false;
  findings.add(where, fmt::format("nested deeper than {} levels", check_limits.max_depth));
  return true;
}

}  // namespace venvoy::schema
