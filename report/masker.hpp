// Keeping secrets out of what is shown and kept (spec/command.md section 4, `secretNames`).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "schema/value.hpp"

namespace venvoy::report {

// Masks in values: what stands under a property whose name looks like a secret, PEM blocks, and the `users` of a
// kubeconfig, as a map or as the text of such a file. It remembers what it has masked and masks that wherever else it
// turns up, in values and in texts such as messages and log lines.
//
// Names that look like a secret: one of their words ("db_password", "accessToken", "API-KEY") is on a built-in list and
// the last one does not say that it is something else ("token_url", "secretName"). Names that are given are compared
// without regard to case and separators. Numbers are masked too, booleans and nulls are not. What is known by fewer
// than four characters, or is a word like "true", is masked only where it stands under its name.
//
// May be called from any thread.
class Masker {
 public:
  // What stands in the place of a secret.
  static constexpr std::string_view mask = "[masked]";
  // Secrets remembered; those beyond it are masked under their names only.
  static constexpr std::size_t max_known = 10'000;

  explicit Masker(std::vector<std::string> names = {});

  void add_names(const std::vector<std::string>& names);
  bool is_secret_name(std::string_view property) const;

  // Remembers the secrets in a value.
  void learn(const schema::Value& value);
  // The value without secrets, which are remembered; the value itself, shared, if there are none.
  schema::Value masked(const schema::Value& value);
  // The text without PEM blocks, users of a kubeconfig and what is known.
  std::string masked_text(std::string_view text) const;

 private:
  bool has_secret_name(std::string_view property) const;  // with the lock held, as all below
  bool learn_in(const schema::Value& value, bool secret);
  bool learn_text(std::string_view text, bool secret);
  void remember(std::string_view secret);
  void remember_one(std::string_view secret);
  std::optional<schema::Value> mask_in(const schema::Value& value, bool secret) const;
  std::optional<schema::Value> mask_list(const schema::List& list, bool secret) const;
  std::optional<schema::Value> mask_map(const schema::Map& map, bool secret) const;
  std::string mask_text(std::string_view text) const;
  std::string mask_known(std::string_view text) const;
  std::size_t known_at(std::string_view rest, char before) const;

  mutable std::mutex mutex_;
  std::vector<std::string> names_;  // folded
  mutable std::unordered_map<std::string, bool> name_cache_;
  // Secrets by their first four bytes, and which of these there are: looking through a text costs little then.
  std::unordered_multimap<std::uint32_t, std::string> known_;
  std::vector<bool> starts_;
};

}  // namespace venvoy::report
