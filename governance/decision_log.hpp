// The decision log: one line of JSON for each rule that was evaluated (spec/governance.md 8.11).
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "governance/settings.hpp"
#include "schema/value.hpp"

namespace venvoy::governance {

// May be used from any thread, and by several processes at once: each record is one write in append mode. When the file
// has become too long it is renamed to `<file>.1`, the one before to `.2`, and so on.
class DecisionLog {
 public:
  explicit DecisionLog(const LogSettings& settings, std::vector<std::string> secret_names = {});

  // Throws an Error (io). Blocks.
  void write(const schema::Value& record);

  // The newest records that suit, oldest first; a torn last line is passed over. Blocks. Throws an Error (io).
  std::vector<schema::Value> read(std::size_t limit, const std::function<bool(const schema::Value&)>& suits) const;

  // The input as it may be logged: values under keys that look like secrets are masked.
  schema::Value masked(const schema::Value& input) const;
  // A text of a policy in which such values of its input are masked too.
  std::string without_secrets_of(const schema::Value& input, std::string text) const;

  const LogSettings& settings() const noexcept { return settings_; }

 private:
  void rotate();
  bool is_secret(std::string key) const;
  void collect_secrets(const schema::Value& input, bool secret, std::vector<std::string>& into) const;

  LogSettings settings_;
  std::vector<std::string> secret_names_;
  std::mutex mutex_;
};

}  // namespace venvoy::governance
