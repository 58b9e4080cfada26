#include "governance/registry.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <sys/stat.h>

#include <fmt/format.h>

#include "base/text.hpp"
#include "governance/internal/http.hpp"
#include "os/file_lock.hpp"
#include "os/files.hpp"
#include "schema/json.hpp"
#include "schema/type.hpp"

namespace venvoy::governance {

namespace fs = std::filesystem;

namespace {

using schema::Kind;
using schema::Value;
using RegistryClock = std::chrono::steady_clock;

constexpr std::size_t max_registry_bytes = std::size_t{64} << 20;
constexpr std::size_t max_policy_record_bytes = std::size_t{4} << 20;
constexpr schema::JsonLimits record_limits{max_policy_record_bytes, 64};
// A record that a service has given is asked for again after this time.
constexpr std::chrono::seconds record_age{30};
constexpr std::size_t max_kept_records = 1000;

PolicyError bad_record(const std::string& origin, const std::string& why) {
  return PolicyError("config", fmt::format("a policy of '{}' makes no sense: {}", origin, why));
}

std::string record_text(const Value& record, std::string_view key, const std::string& origin) {
  const Value* value = record.find(key);
  if (!value || value->is_null()) return {};
  if (value->kind() != Kind::text) throw bad_record(origin, fmt::format("'{}' is no text", key));
  return value->as_text();
}

Value record_object(const Value& record, std::string_view key, const std::string& origin) {
  const Value* value = record.find(key);
  if (!value || value->is_null()) return schema::Map();
  if (value->kind() != Kind::map) throw bad_record(origin, fmt::format("'{}' is no object", key));
  return *value;
}

bool is_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// A path of a file's entry: below the folder of the file, links followed.
std::string local_code(const std::string& code, const fs::path& folder, const std::string& origin) {
  if (code.find("://") != code.npos) throw bad_record(origin, fmt::format("'code' has the scheme of '{}'", code));
  std::error_code error;
  const fs::path root = fs::weakly_canonical(folder, error);
  const fs::path path = fs::weakly_canonical(root / code, error);
  const fs::path below = path.lexically_relative(root);
  if (error || below.empty() || *below.begin() == ".." || below == ".")
    throw bad_record(origin, fmt::format("'code' is '{}', which does not lie in the registry's folder", code));
  return path.string();
}

PolicyRecord read_record(const Value& entry, const std::string& origin, const std::optional<fs::path>& folder) {
  if (entry.kind() != Kind::map) throw bad_record(origin, "it is no object");
  PolicyRecord record;
  record.origin = origin;
  record.from_http = !folder;
  const std::string id = fmt::format("{}:{}-{}", record_text(entry, "name", origin),
                                     record_text(entry, "version", origin), record_text(entry, "release_tag", origin));
  try {
    record.id = RuleId::parse(id);
  } catch (const Error& error) {
    throw bad_record(origin, error.what());
  }
  record.reference = record_text(entry, "reference", origin);
  const std::string code = record_text(entry, "code", origin);
  if (record.reference.empty() == code.empty())
    throw bad_record(origin, fmt::format("'{}' needs exactly one of 'reference' and 'code'", id));
  record.module = record_text(entry, "module", origin);
  if (!record.reference.empty() && record.module.empty())
    throw bad_record(origin, fmt::format("'{}' has a 'reference' but no 'module'", id));
  if (is_url(code))
    record.code = code;
  else if (!code.empty() && !folder)
    throw bad_record(origin, fmt::format("'code' of '{}' must be an http or https URL", id));
  else if (!code.empty())
    record.code = local_code(code, *folder, origin);
  record.sha256 = record_text(entry, "sha256", origin);
  std::transform(record.sha256.begin(), record.sha256.end(), record.sha256.begin(),
                 [](unsigned char symbol) { return static_cast<char>(std::tolower(symbol)); });
  if (!record.sha256.empty() && !is_sha256(record.sha256))
    throw bad_record(origin, fmt::format("'sha256' of '{}' is no SHA-256", id));
  record.settings = record_object(entry, "policy_settings", origin);
  record.parameters = record_object(entry, "policy_parameters", origin);
  record.input_schema = record_object(entry, "policy_input_schema", origin);
  record.output_schema = record_object(entry, "policy_output_schema", origin);
  record.settings_schema = record_object(entry, "policy_settings_schema", origin);
  record.parameters_schema = record_object(entry, "policy_parameters_schema", origin);
  record.description = record_text(entry, "description", origin);
  return record;
}

// An entry that makes no sense does not take the others with it, as long as one can tell whose it is.
PolicyRecord read_or_note(const Value& entry, const std::string& origin, const fs::path& folder) {
  try {
    return read_record(entry, origin, folder);
  } catch (const PolicyError& error) {
    PolicyRecord record;
    try {
      record.id =
          RuleId::parse(fmt::format("{}:{}-{}", record_text(entry, "name", origin),
                                    record_text(entry, "version", origin), record_text(entry, "release_tag", origin)));
    } catch (const Error&) {
      throw error;
    }
    record.fault = error.what();
    return record;
  }
}

std::vector<PolicyRecord> read_registry_file(const fs::path& file) {
  const Value root = schema::read_json(os::read_file(file, max_registry_bytes), file.string());
  const Value* policies = root.find("policies");
  if (!policies || policies->kind() != Kind::list)
    throw PolicyError("config", fmt::format("the registry '{}' has no list 'policies'", file.string()));
  std::vector<PolicyRecord> records;
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  for (const Value& entry : policies->as_list()) {
    PolicyRecord record = read_or_note(entry, file.string(), folder);
    for (const PolicyRecord& other : records)
      if (other.id == record.id) throw bad_record(file.string(), fmt::format("'{}' is there twice", record.id.text()));
    records.push_back(std::move(record));
  }
  return records;
}

bool fits_type_word(const std::string& word, const Value& value) {
  const Kind kind = value.kind();
  if (word == "string" || word == "str") return kind == Kind::text;
  if (word == "integer" || word == "int") return kind == Kind::integer;
  if (word == "number" || word == "float") return kind == Kind::integer || kind == Kind::floating;
  if (word == "boolean" || word == "bool") return kind == Kind::boolean;
  if (word == "array" || word == "list") return kind == Kind::list;
  if (word == "object" || word == "dict" || word == "map") return kind == Kind::map;
  if (word == "null") return kind == Kind::null;
  return true;  // "any", and words that nobody has defined
}

std::string field_fault(const std::string& name, const Value& field, const Value* value, bool required,
                        std::string_view what) {
  if (!value) return required ? fmt::format("{} has no '{}'", what, name) : std::string();
  const Value* type = field.find("type");
  if (type && type->kind() == Kind::text && !fits_type_word(type->as_text(), *value))
    return fmt::format("'{}' of {} is no {}, but {}", name, what, type->as_text(), to_text(value->kind()));
  const Value* pattern = field.find("pattern");
  if (!pattern || pattern->kind() != Kind::text || value->kind() != Kind::text) return {};
  const schema::Pattern compiled(pattern->as_text());
  if (!compiled.compiles()) return fmt::format("the pattern of '{}' cannot be read: {}", name, compiled.problem());
  return compiled.found_in(value->as_text())
             ? std::string()
             : fmt::format("'{}' of {} does not match the pattern {}", name, what, pattern->as_text());
}

}  // namespace

PolicyError::PolicyError(std::string kind, std::string message)
    : Error(ErrorCode::denied, std::move(message)), kind_(std::move(kind)) {}

struct Registry::Known {
  struct Stamp {
    std::int64_t inode, size, seconds, nanoseconds;
    bool operator==(const Stamp&) const = default;
  };
  std::optional<Stamp> stamp;
  std::vector<PolicyRecord> records;
  struct FromService {
    PolicyRecord record;
    RegistryClock::time_point at;
  };
  std::map<std::string, FromService> from_service;
};

Registry::Registry(const Settings& settings)
    : file_(settings.registry_file), url_(settings.registry_url), known_(std::make_shared<Known>()) {
  while (!url_.empty() && url_.back() == '/') url_.pop_back();
}

// With the mutex held.
const std::vector<PolicyRecord>& Registry::file_records() const {
  struct stat facts = {};
  if (::stat(file_->c_str(), &facts) != 0)
    throw PolicyError("fetch", fmt::format("the registry '{}' cannot be read: {}", file_->string(),
                                           system_error(errno, "stat").what()));
  const Known::Stamp now{static_cast<std::int64_t>(facts.st_ino), facts.st_size, facts.st_mtim.tv_sec,
                         facts.st_mtim.tv_nsec};
  if (known_->stamp != now) {
    known_->stamp.reset();
    try {
      known_->records = read_registry_file(*file_);
    } catch (const PolicyError&) {
      throw;
    } catch (const Error& error) {
      throw PolicyError("config", fmt::format("the registry '{}' cannot be read ({})", file_->string(), error.what()));
    }
    known_->stamp = now;
  }
  return known_->records;
}

PolicyRecord Registry::find(const RuleId& id, const CancelToken& cancel) {
  if (file_) {
    const std::lock_guard lock(mutex_);
    for (const PolicyRecord& record : file_records())
      if (record.id == id) {
        if (!record.fault.empty()) throw PolicyError("config", record.fault);
        return record;
      }
  }
  if (!url_.empty())
    if (auto record = find_in_service(id, cancel)) return std::move(*record);
  throw PolicyError("not_found", fmt::format("there is no policy '{}' in the registry", id.text()));
}

std::optional<PolicyRecord> Registry::find_in_service(const RuleId& id, const CancelToken& cancel) {
  const std::string name = id.text();
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_->from_service.find(name);
    if (found != known_->from_service.end() && RegistryClock::now() - found->second.at < record_age)
      return found->second.record;
  }
  internal::HttpCall call;
  call.url = url_ + "/policy/" + internal::percent_encoded(name);
  call.max_bytes = max_policy_record_bytes;
  const internal::HttpAnswer answer = internal::call(call, cancel);
  if (answer.end != internal::HttpAnswer::End::answered)
    throw PolicyError("fetch", fmt::format("the registry {} does not answer: {}", call.url, answer.problem));
  if (answer.status == 404) return std::nullopt;
  if (answer.status != 200)
    throw PolicyError("fetch", fmt::format("the registry {} answers with status {}", call.url, answer.status));
  Value reply;
  try {
    reply = schema::read_json(answer.body, call.url, record_limits);
  } catch (const Error& error) {
    throw PolicyError("fetch", fmt::format("the registry {} answers no JSON ({})", call.url, error.what()));
  }
  const Value* success = reply.find("success");
  if (!success || success->kind() != Kind::boolean)
    throw PolicyError("fetch", fmt::format("the registry {} answers without 'success'", call.url));
  if (!success->as_bool()) return std::nullopt;
  const Value* data = reply.find("data");
  if (!data) throw PolicyError("fetch", fmt::format("the registry {} answers without 'data'", call.url));
  const Value* uri = data->find("policy_rule_uri");
  PolicyRecord record = read_record(*data, call.url, std::nullopt);
  const std::string given = uri && uri->kind() == Kind::text ? uri->as_text() : record.id.text();
  if (given != name || record.id != id)
    throw PolicyError("fetch", fmt::format("the registry {} answers with '{}' in place of '{}'", call.url,
                                           to_valid_utf8(given), name));
  const std::lock_guard lock(mutex_);
  if (known_->from_service.size() >= max_kept_records) known_->from_service.clear();
  known_->from_service.insert_or_assign(name, Known::FromService{record, RegistryClock::now()});
  return record;
}

std::vector<PolicyRecord> Registry::list() const {
  if (!file_) return {};
  const std::lock_guard lock(mutex_);
  return file_records();
}

void Registry::add_to_file(const fs::path& file, const Value& entry, bool replace) {
  const auto held = os::FileLock::wait(file.string() + ".lock", os::LockMode::exclusive, {});
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const PolicyRecord added = read_record(entry, file.string(), folder);
  schema::Map root;
  schema::List policies;
  if (const auto text = os::read_file_if_there(file, max_registry_bytes)) {
    read_registry_file(file);
    Value old = schema::read_json(*text, file.string());
    root = old.take_map();
    policies = root.find_or_add("policies").take_list();
  }
  const auto same = std::find_if(policies.begin(), policies.end(), [&](const Value& each) {
    return read_record(each, file.string(), folder).id == added.id;
  });
  if (same != policies.end() && !replace)
    throw Error(ErrorCode::usage, fmt::format("the registry '{}' has '{}' already", file.string(), added.id.text()))
        .with_hint("give it a new version, or replace it with --replace");
  if (same != policies.end())
    *same = entry;
  else
    policies.push_back(entry);
  root.set("policies", std::move(policies));
  os::write_file_atomically(file, schema::write_json(Value(std::move(root))) + "\n", 0644);
}

std::string schema_fault(const Value& schema, const Value& data, std::string_view what) {
  if (schema.kind() != Kind::map || schema.as_map().empty()) return {};
  const Value* properties = schema.find("properties");
  const bool is_json_schema = properties && properties->kind() == Kind::map;
  if (data.kind() != Kind::map) return fmt::format("{} is no object", what);
  const Value* required = schema.find("required");
  const Value& fields = is_json_schema ? *properties : schema;
  // A JSON Schema without properties says nothing that is compared here.
  if (!is_json_schema && schema.find("type") && schema.find("type")->kind() == Kind::text) return {};
  if (is_json_schema && required && required->kind() == Kind::list)
    for (const Value& name : required->as_list())
      if (name.kind() == Kind::text && !data.find(name.as_text()))
        return fmt::format("{} has no '{}'", what, name.as_text());
  for (const auto& [key, field] : fields.as_map()) {
    if (key.kind() != Kind::text) continue;
    const Value* optional = field.find("required");
    const bool must = !is_json_schema && field.kind() == Kind::map && !field.find("default") &&
                      !(optional && optional->kind() == Kind::boolean && !optional->as_bool());
    if (std::string fault = field_fault(key.as_text(), field, data.find(key.as_text()), must, what); !fault.empty())
      return fault;
  }
  return {};
}

}  // namespace venvoy::governance
