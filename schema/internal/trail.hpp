// The way to the place that is being looked at, kept on the stack, and the findings made on that way.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/position.hpp"
#include "schema/check.hpp"
#include "schema/value.hpp"

namespace venvoy::schema {

// One step of a way from the root of some data to a place in it. It points to the step before it, which must outlive
// it; no text is made before somebody asks for the path, so that checking good data costs no strings.
class Trail {
 public:
  // The root.
  Trail() = default;
  explicit Trail(const Position* at) : at_(at) {}

  // The names, keys and positions must outlive the step. `at` is where this place stands in a file, if that is known.
  Trail property(std::string_view name, const Position* at = nullptr) const;
  Trail item(std::size_t index, const Position* at = nullptr) const;
  Trail value(const Value& key, const Position* at = nullptr) const;
  Trail value_named(std::string_view key) const;
  Trail key(const Value& key, const Position* at = nullptr) const;
  // Keys are kept by reference.
  Trail value(Value&& key) const = delete;
  Trail key(Value&& key) const = delete;
  // All items of a list or values of a map; all keys of a map.
  Trail every_value() const;
  Trail every_key() const;

  int depth() const noexcept { return depth_; }
  Path path() const;
  // The nearest known position on the way back to the root; nullptr if there is none.
  const Position* position() const noexcept;

 private:
  enum class Step : unsigned char { root, property, item, value, key, every_value, every_key };
  Trail next(Step step, const Position* at) const;
  std::string segment() const;

  const Trail* before_ = nullptr;
  const Position* at_ = nullptr;
  const Value* key_ = nullptr;
  std::string_view name_;
  std::size_t index_ = 0;
  int depth_ = 0;
  Step step_ = Step::root;
};

// What was found not to fit, up to the limit of check_limits.
class Findings {
 public:
  // `at` is where the finding stands if that is not the place itself (an unknown key of a mapping).
  void add(const Trail& where, std::string text, const Position* at = nullptr);
  void add(Mismatch mismatch);
  bool empty() const noexcept { return mismatches_.empty(); }
  std::size_t size() const noexcept { return mismatches_.size(); }
  // No more are collected: the work may end.
  bool full() const noexcept { return mismatches_.size() >= check_limits.max_mismatches; }
  std::vector<Mismatch> take() { return std::move(mismatches_); }
  // Throws a MismatchError if there are any.
  void throw_if_any();

 private:
  std::vector<Mismatch> mismatches_;
};

// Adds a mismatch and returns true if the place is deeper than the limit of check_limits.
bool too_deep(const Trail& where, Findings& findings);

}  // namespace venvoy::schema
