#include "cache/internal/choose.hpp"

#include <algorithm>
#include <numeric>

namespace venvoy::cache::internal {
namespace {

using State = Entry::State;

// Half-written files, and mirrors that have no name yet, are removed when nobody can still be writing them.
constexpr auto longest_write = std::chrono::hours(1);

bool may_be_in_writing(const Entry& entry, WallTime now) {
  const bool has_lock = holds_directories(entry.bucket) || entry.bucket == Bucket::work;
  return entry.state == State::rubbish && !has_lock && now - entry.last_used <= longest_write;
}

bool is_rubbish(const Entry& entry, WallTime now) {
  return entry.state == State::superseded || (entry.state == State::rubbish && !may_be_in_writing(entry, now));
}

// Work directories live as long as their engine, and half-written files are none of the options' business.
bool is_prunable(const Entry& entry) {
  return entry.bucket != Bucket::work && entry.state == State::ready;
}

std::vector<std::size_t> least_recently_used_first(const std::vector<Entry>& entries) {
  std::vector<std::size_t> order(entries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return entries[a].last_used < entries[b].last_used; });
  return order;
}

class Chooser {
 public:
  Chooser(const std::vector<Entry>& entries, const PruneOptions& options, WallTime now)
      : entries_(entries), options_(options), now_(now) {
    for (const Entry& entry : entries) bytes_ += counts_for_size(entry.bucket) ? entry.bytes : 0;
  }

  Choice choose() {
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (is_rubbish(entries_[i], now_)) take(i);
    for (const std::size_t i : least_recently_used_first(entries_))
      if (is_prunable(entries_[i]) && (is_too_old(entries_[i]) || is_too_much(entries_[i]))) take(i);
    return std::move(choice_);
  }

 private:
  bool is_too_old(const Entry& entry) const { return options_.max_age && now_ - entry.last_used > *options_.max_age; }
  bool is_too_much(const Entry& entry) const {
    return options_.max_bytes && counts_for_size(entry.bucket) && bytes_ > *options_.max_bytes;
  }

  void take(std::size_t index) {
    const Entry& entry = entries_[index];
    (entry.in_use ? choice_.in_use : choice_.remove).push_back(index);
    if (!entry.in_use && counts_for_size(entry.bucket)) bytes_ -= entry.bytes;
  }

  const std::vector<Entry>& entries_;
  const PruneOptions& options_;
  WallTime now_;
  std::uint64_t bytes_ = 0;
  Choice choice_;
};

}  // namespace

Choice choose(const std::vector<Entry>& entries, const PruneOptions& options, WallTime now) {
  return Chooser(entries, options, now).choose();
}

Choice choose_all(const std::vector<Entry>& entries, WallTime now) {
  Choice choice;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (!may_be_in_writing(entries[i], now)) (entries[i].in_use ? choice.in_use : choice.remove).push_back(i);
  return choice;
}

}  // namespace venvoy::cache::internal
