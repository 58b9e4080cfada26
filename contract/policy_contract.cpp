#include "contract/policy_contract.hpp"

#include <fmt/format.h>

namespace venvoy::contract {
namespace {

Verdict kept_for_the_store() {
  return {Verdict::Kind::kept, "judged for each host version"};
}

}  // namespace

Verdict PolicyContract::judge_commit(const source::GitMirror&, const source::CommitId&, const std::string&) const {
  return kept_for_the_store();
}

Verdict PolicyContract::judge_folder(const std::filesystem::path&) const {
  return kept_for_the_store();
}

Verdict PolicyContract::judge_package(const PackageFacts&) const {
  return kept_for_the_store();
}

// Reached only by packages of the index that have no wheel.
Contract::Refusal PolicyContract::refusal(const std::string& module, const std::string& origin,
                                          const std::string& reference, const Verdict& verdict) const {
  return {fmt::format("{}, from {}, is not installed: it has {}", module, origin, verdict.evidence),
          fmt::format("use a git reference to the same code, or --allow-incompatible '{}'", reference)};
}

}  // namespace venvoy::contract
