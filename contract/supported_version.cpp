#include "contract/supported_version.hpp"

#include <charconv>

#include "base/text.hpp"

namespace venvoy::contract {
namespace {

constexpr std::array all_verdicts = {HostVerdict::accepted, HostVerdict::mismatch, HostVerdict::unparsable,
                                     HostVerdict::none};
constexpr std::size_t max_version_length = 100;

// What stands behind the last ':' of an image's name, and behind the words of a tag: "release-".
std::string_view version_part(std::string_view text) {
  if (const auto colon = text.rfind(':'); colon != std::string_view::npos) text.remove_prefix(colon + 1);
  for (const std::string_view prefix : {"release-", "v"})
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  return text;
}

bool is_version_symbol(char symbol) noexcept {
  return is_digit(symbol) || (symbol >= 'a' && symbol <= 'z') || is_in(".+-_", symbol);
}

}  // namespace

bool HostVersion::refuses_surl() const noexcept {
  return numbers >= std::array{38, 4, 0};
}
bool HostVersion::has_default_algorithms() const noexcept {
  return numbers[0] >= 38;
}
bool HostVersion::needs_policy_section() const noexcept {
  return numbers < std::array{38, 1, 0};
}
bool HostVersion::needs_schema() const noexcept {
  return numbers[0] <= 35;
}

std::optional<HostVersion> parse_host_version(std::string_view text) {
  const std::string_view version = version_part(trim(text));
  if (version.empty() || version.size() > max_version_length || !is_digit(version.front())) return std::nullopt;
  HostVersion host;
  host.text = std::string(version);
  const char* place = version.data();
  const char* const end = place + version.size();
  for (int& number : host.numbers) {
    const auto [behind, error] = std::from_chars(place, end, number);
    if (error != std::errc()) break;
    place = behind;
    if (place == end || *place != '.') break;
    ++place;
  }
  for (const char symbol : version)
    if (!is_version_symbol(symbol)) return std::nullopt;
  const auto first_dot = version.find('.');
  const auto last_of_major = version.starts_with("1.") ? version.find('.', first_dot + 1) : first_dot;
  host.major = std::string(version.substr(0, last_of_major));
  host.rule = host.numbers[0] < 36 ? HostVersion::Rule::list : HostVersion::Rule::specifier;
  return host;
}

std::string_view to_text(HostVerdict verdict) noexcept {
  switch (verdict) {
    case HostVerdict::accepted:
      return "accepted";
    case HostVerdict::mismatch:
      return "mismatch";
    case HostVerdict::unparsable:
      return "unparsable";
    case HostVerdict::none:
      break;
  }
  return "none";
}

HostVerdict host_verdict_from(std::string_view text) noexcept {
  for (const HostVerdict verdict : all_verdicts)
    if (to_text(verdict) == text) return verdict;
  return HostVerdict::none;
}

}  // namespace venvoy::contract
