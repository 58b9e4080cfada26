#include "governance/policy_code.hpp"

#include <algorithm>
#include <sys/stat.h>

#include <fmt/format.h>

#include "base/sha256.hpp"
#include "base/text.hpp"
#include "governance/archive.hpp"
#include "governance/internal/http.hpp"
#include "os/file_lock.hpp"
#include "os/files.hpp"
#include "os/staging_dir.hpp"
#include "schema/json.hpp"

namespace venvoy::governance {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t max_digest_file_bytes = std::size_t{64} << 20;
constexpr std::size_t max_requirements_bytes = std::size_t{1} << 20;
constexpr std::chrono::milliseconds archive_timeout{300'000};

bool is_remote(const PolicyRecord& record) {
  return record.code.starts_with("http://") || record.code.starts_with("https://");
}

// Changes when the file does; empty for a URL.
std::string stamp_of(const PolicyRecord& record) {
  if (is_remote(record)) return {};
  struct stat facts = {};
  if (::stat(record.code.c_str(), &facts) != 0)
    throw PolicyError("fetch", fmt::format("the archive '{}' of '{}' cannot be read: {}", record.code, record.id.text(),
                                           system_error(errno, "stat").what()));
  return fmt::format("{} {} {} {} {}", facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtim.tv_sec,
                     facts.st_mtim.tv_nsec);
}

std::string toml_text(std::string_view text) {
  return schema::write_json(schema::Value(text), {.indent = 0});
}

// The project that wraps an archive's code, so that it is installed like every plugin. Its build backend comes with it
// and needs nothing from an index.
void write_project(const fs::path& project, const fs::path& build_script, const std::string& sha256) {
  std::vector<std::string> requirements;
  const fs::path package = project / "venvoy_policy";
  if (const auto text = os::read_file_if_there(package / "code" / "requirements.txt", max_requirements_bytes))
    requirements = read_requirements(*text);
  std::string list;
  for (const std::string& requirement : requirements) list += "  " + toml_text(requirement) + ",\n";
  os::write_file_atomically(project / "pyproject.toml",
                            fmt::format("# Made from the archive with the SHA-256 {}.\n"
                                        "[build-system]\nrequires = []\nbuild-backend = \"policy_build\"\n"
                                        "backend-path = [\".\"]\n\n"
                                        "[project]\nname = \"venvoy-policy\"\nversion = \"0\"\n"
                                        "dependencies = [\n{}]\n",
                                        sha256, list));
  os::write_file_atomically(project / "policy_build.py", os::read_file(build_script, max_requirements_bytes));
  os::write_file_atomically(package / "__init__.py", "");
  os::write_file_atomically(package / "__main__.py", "raise SystemExit('This is a policy; venvoy evaluates it.')\n");
  os::write_file_atomically(project / ".python_deployer_compat", "");
}

}  // namespace

std::vector<std::string> read_requirements(std::string_view text) {
  std::vector<std::string> result;
  std::string line;
  for (const std::string_view part : split_lines(text)) {
    line += part;
    if (line.ends_with('\\')) {
      line.pop_back();
      continue;
    }
    std::string_view requirement = line;
    if (const std::size_t comment = requirement.find(" #"); comment != requirement.npos)
      requirement = requirement.substr(0, comment);
    requirement = trim(requirement);
    if (!requirement.empty() && requirement.front() != '#') {
      if (requirement.front() == '-' || requirement.find(" --") != requirement.npos)
        throw PolicyError("install", fmt::format("requirements.txt has '{}', an option of an installer; only "
                                                 "requirements are taken",
                                                 to_valid_utf8(requirement.substr(0, 200))));
      result.emplace_back(requirement);
    }
    line.clear();
  }
  return result;
}

PolicyCode::PolicyCode(fs::path folder, fs::path build_script)
    : folder_(std::move(folder)), build_script_(std::move(build_script)) {
  std::error_code error;
  fs::create_directories(folder_.parent_path(), error);
  os::make_directory(folder_, 0700);
  os::make_directory(folder_ / "code-v1", 0700);
}

std::string PolicyCode::fetch(const PolicyRecord& record, const CancelToken& cancel) const {
  if (!is_remote(record)) {
    try {
      return os::read_file(record.code, max_archive_bytes);
    } catch (const Error& error) {
      throw PolicyError("fetch", error.what());
    }
  }
  internal::HttpCall call;
  call.url = record.code;
  call.timeout = archive_timeout;
  call.max_bytes = max_archive_bytes;
  call.follow_redirects = true;
  internal::HttpAnswer answer = internal::call(call, cancel);
  if (answer.end != internal::HttpAnswer::End::answered)
    throw PolicyError("fetch", fmt::format("the archive {} cannot be fetched: {}", record.code, answer.problem));
  if (answer.status != 200)
    throw PolicyError("fetch", fmt::format("the archive {} cannot be fetched: status {}", record.code, answer.status));
  return std::move(answer.body);
}

// Gives the digest; `bytes` are filled only if the archive had to be read.
std::string PolicyCode::read_archive(const PolicyRecord& record, std::string& bytes, const CancelToken& cancel) {
  const std::string stamp = stamp_of(record);
  {
    const std::lock_guard lock(mutex_);
    const auto seen = seen_.find(record.code);
    if (seen != seen_.end() && seen->second.stamp == stamp) return seen->second.sha256;
  }
  // What is pinned and unpacked is what it should be, whatever the server has now.
  if (is_remote(record) && !record.sha256.empty() && fs::exists(folder_ / "code-v1" / record.sha256))
    return record.sha256;
  bytes = fetch(record, cancel);
  const std::string sha256 = sha256_hex(bytes);
  const std::lock_guard lock(mutex_);
  seen_.insert_or_assign(record.code, Seen{stamp, sha256});
  return sha256;
}

std::string PolicyCode::recorded(const RuleId& id) const {
  const fs::path file = folder_ / "digests.json";
  const auto text = os::read_file_if_there(file, max_digest_file_bytes);
  if (!text) return {};
  const schema::Value root = schema::read_json(*text, file.string());
  const schema::Value* digest = root.find(id.text());
  return digest && digest->kind() == schema::Kind::text ? digest->as_text() : std::string();
}

std::string PolicyCode::record_digest(const RuleId& id, const std::string& sha256, bool replace) const {
  const fs::path file = folder_ / "digests.json";
  const auto held = os::FileLock::wait(file.string() + ".lock", os::LockMode::exclusive, {});
  if (const std::string before = recorded(id); !before.empty() && !replace) return before;
  schema::Map root;
  if (const auto text = os::read_file_if_there(file, max_digest_file_bytes))
    root = schema::read_json(*text, file.string()).take_map();
  root.set(id.text(), sha256);
  os::write_file_atomically(file, schema::write_json(schema::Value(std::move(root))) + "\n");
  return sha256;
}

void PolicyCode::compare_with_first_use(const PolicyRecord& record, const std::string& sha256) {
  if (!record.sha256.empty()) {
    if (record.sha256 == sha256) return;
    throw PolicyError("integrity", fmt::format("the archive of '{}' has the SHA-256 {}, but the registry says {}",
                                               record.id.text(), sha256, record.sha256));
  }
  std::string first = recorded(record.id);
  if (first.empty()) first = record_digest(record.id, sha256, false);
  if (first == sha256) return;
  throw PolicyError("integrity",
                    fmt::format("the archive of '{}' has changed: it had the SHA-256 {} at its first use, and has {} "
                                "now; `venvoy governance accept {}` takes the new one",
                                record.id.text(), first, sha256, record.id.text()));
}

fs::path PolicyCode::unpacked(const std::string& sha256, const PolicyRecord& record, std::string bytes,
                              const CancelToken& cancel) {
  const fs::path target = folder_ / "code-v1" / sha256;
  if (fs::exists(target)) return target;
  if (bytes.empty()) bytes = fetch(record, cancel);
  if (sha256_hex(bytes) != sha256)
    throw PolicyError("integrity", fmt::format("the archive of '{}' was changed while it was read", record.id.text()));
  try {
    os::StagingDir staging(folder_ / "code-v1");
    os::make_directory(staging.path() / "venvoy_policy", 0755);
    extract_policy_archive(bytes, staging.path() / "venvoy_policy");
    write_project(staging.path(), build_script_, sha256);
    static_cast<void>(staging.publish(target));
  } catch (const PolicyError&) {
    throw;
  } catch (const Error& error) {
    throw PolicyError("install",
                      fmt::format("the archive of '{}' cannot be used ({})", record.id.text(), error.what()));
  }
  return target;
}

PolicySource PolicyCode::locate(const PolicyRecord& record, const CancelToken& cancel) {
  PolicySource result;
  if (!record.reference.empty()) {
    try {
      result.reference = source::parse_module_ref(record.reference);
    } catch (const Error& error) {
      throw PolicyError("config", error.what());
    }
    // The module need not have the name of its project, and nobody runs it with -m.
    if (result.reference.git()) result.reference.name = record.module;
    result.module = record.module;
    return result;
  }
  std::string bytes;
  result.sha256 = read_archive(record, bytes, cancel);
  compare_with_first_use(record, result.sha256);
  const fs::path project = unpacked(result.sha256, record, std::move(bytes), cancel);
  result.reference.text = project.string();
  result.reference.source = source::LocalRef{project};
  return result;
}

std::string PolicyCode::accept(const PolicyRecord& record, const CancelToken& cancel) {
  if (record.code.empty())
    throw Error(ErrorCode::usage, fmt::format("'{}' is a reference: its commit says what it is", record.id.text()));
  if (!record.sha256.empty())
    throw Error(ErrorCode::usage,
                fmt::format("'{}' is pinned by the registry's 'sha256': change it there", record.id.text()));
  const std::string sha256 = sha256_hex(fetch(record, cancel));
  return record_digest(record.id, sha256, true);
}

}  // namespace venvoy::governance
