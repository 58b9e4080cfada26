#include "venv/internal/origin.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "source/git_url.hpp"

namespace venvoy::venv::internal {
namespace {

bool is_named(const Job& job) {
  const auto& names = job.settings.allow_incompatible;
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return name == job.reference.text || name == job.shown || (!name.empty() && name == job.reference.name);
  });
}

std::string_view excuse(const Job& job) {
  if (is_named(job)) return "but it was named as allowed";
  if (job.settings.override_compatibility) return "but overrideModuleCompatibility is true";
  return "which becomes an error with overrideModuleCompatibility: false in the configuration";
}

}  // namespace

boost::asio::awaitable<std::string> Origin::lock_text(const Job&) const {
  co_return std::string();
}

bool is_excused(const Job& job) {
  return job.settings.override_compatibility || job.settings.contract_is_advice || is_named(job);
}

void enforce(const Job& job, const contract::Verdict& verdict, const std::string& module, const std::string& place) {
  if (verdict.kept()) return;
  if (is_excused(job)) {
    return job.logger.warning("running incompatible module {}, from {}: it has {}, {}", module, place, verdict.evidence,
                              excuse(job));
  }
  const auto refusal = job.contract.refusal(module, place, job.shown, verdict);
  const bool missing = verdict.kind == contract::Verdict::Kind::missing;
  throw Error(missing ? ErrorCode::contract_missing : ErrorCode::contract_unreadable, refusal.message)
      .with_hint(refusal.hint);
}

cache::KeyInputs index_inputs(const Settings& settings) {
  cache::KeyInputs inputs;
  if (settings.index_url) inputs.emplace_back("index-url", source::safe_url(*settings.index_url));
  for (const std::string& url : settings.extra_index_urls)
    inputs.emplace_back("extra-index-url", source::safe_url(url));
  for (const std::string& place : settings.find_links) inputs.emplace_back("find-links", source::safe_url(place));
  return inputs;
}

std::string normalised_name(const std::string& name) {
  std::string result;
  for (const char c : name) {
    const bool separator = c == '-' || c == '_' || c == '.';
    if (separator && !result.empty() && result.back() == '-') continue;
    result += separator ? '-' : static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return result;
}

std::string text_in(const nlohmann::json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto place = object.find(name);
  return place != object.end() && place->is_string() ? place->get<std::string>() : std::string();
}

nlohmann::json read_json_record(const cache::Store& store, cache::Bucket bucket, const std::string& name) {
  const auto text = store.read_record(bucket, name);
  return text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
}

std::string to_text(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace venvoy::venv::internal
