// The contract of policy packages with their host: `SUPPORTED_VERSION` against a version of Rucio
// (spec/policy-packages.md 2.2).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace venvoy::contract {

// A version of Rucio, as somebody wrote it.
struct HostVersion {
  // How hosts of this line compare `SUPPORTED_VERSION` with their major version.
  enum class Rule {
    list,       // up to 35: the major must be equal to one element, as a text
    specifier,  // since 36: the elements are joined, and the major must be in that set of PEP 440 specifiers
  };

  std::string text;  // "41.5.1"
  // What the host compares: the first part of its version, or the first two if it begins with "1.".
  std::string major;
  std::array<int, 3> numbers{};  // major, minor, patch; what is not said is 0
  Rule rule = Rule::specifier;

  // `surl` as a type of algorithms is an error since 38.4, and another name of `non_deterministic_pfn` before.
  bool refuses_surl() const noexcept;
  // A file `<type>.py` is a default algorithm since 38.
  bool has_default_algorithms() const noexcept;
  // Variables in the environment are read only if the configuration has a section [policy], up to 38.0.
  bool needs_policy_section() const noexcept;
  // Hosts up to 35 need `schema.py` and, in it, SCOPE_NAME_REGEXP.
  bool needs_schema() const noexcept;
};

// Reads a version, "41.5.1", "41.0.0rc1", or an image's tag, "release-41.5.1", "rucio/rucio-server:release-41.5.1".
// Nothing if there is no version in it.
std::optional<HostVersion> parse_host_version(std::string_view text);

// What a package's contract says about a host.
enum class HostVerdict { accepted, mismatch, unparsable, none };
std::string_view to_text(HostVerdict verdict) noexcept;
// The inverse of to_text; anything else is `none`.
HostVerdict host_verdict_from(std::string_view text) noexcept;

}  // namespace venvoy::contract
