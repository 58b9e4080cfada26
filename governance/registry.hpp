// Where policies are found by their rule ids: a file, then an HTTP service (spec/governance.md 8.4).
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "governance/rule_id.hpp"
#include "governance/settings.hpp"
#include "schema/value.hpp"

namespace venvoy::governance {

// A failure of one of the kinds of 8.6: "not_found", "fetch", "integrity", "install", "load", "policy_failed",
// "timeout", "limit", "crash", "bad_output", "remote_unreachable", "remote_http", "remote_bad_reply", "config".
class PolicyError : public Error {
 public:
  PolicyError(std::string kind, std::string message);
  const std::string& kind() const noexcept { return kind_; }

 private:
  std::string kind_;
};

struct PolicyRecord {
  RuleId id;
  // Exactly one of these two.
  std::string reference;  // of a plugin
  std::string code;       // an archive: a file, absolute, or a URL
  bool from_http = false;
  std::string module;  // of a reference: the Python module with the policy
  std::string sha256;  // of the archive, if it is pinned; lower case
  schema::Value settings = schema::Map();
  schema::Value parameters = schema::Map();
  schema::Value input_schema, output_schema, settings_schema, parameters_schema;  // null: none
  std::string description;
  std::string origin;  // which file or URL
  std::string fault;   // of an entry of a file that makes no sense: why; only the id is there then
};

// May be used from any thread. Everything blocks.
class Registry {
 public:
  explicit Registry(const Settings& settings);

  // Throws a PolicyError: not_found, fetch (the service does not answer), config (the record makes no sense).
  PolicyRecord find(const RuleId& id, const CancelToken& cancel);

  // Those of the file, for people. Throws an Error (document, io).
  std::vector<PolicyRecord> list() const;

  // Adds a policy to the file, or replaces the one of the same id if that is allowed. `entry` has the keys of a file's
  // entry. Throws an Error (usage) when there is no file or the id is taken, (document).
  static void add_to_file(const std::filesystem::path& file, const schema::Value& entry, bool replace);

 private:
  struct Known;
  const std::vector<PolicyRecord>& file_records() const;
  std::optional<PolicyRecord> find_in_service(const RuleId& id, const CancelToken& cancel);

  std::optional<std::filesystem::path> file_;
  std::string url_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<Known> known_;
};

// Whether data fits a schema of a record: a map of fields `{"name": {"type": …, "pattern": …, "required": …}}`, or an
// object of JSON Schema, of which `properties` and `required` are compared in the same way. Returns what is wrong in a
// sentence, empty if it fits.
std::string schema_fault(const schema::Value& schema, const schema::Value& data, std::string_view what);

}  // namespace venvoy::governance
