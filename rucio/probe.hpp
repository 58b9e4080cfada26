// Asking a policy package, in a process of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "rucio/package.hpp"

namespace venvoy::rucio {

// For each question.
struct ProbeLimits {
  std::chrono::milliseconds timeout{30'000};
  std::uint64_t memory = std::uint64_t{1} << 30;  // bytes of address space
  bool network = false;                           // whether the package may open connections
};

// Which VO of which kind of host.
struct Audience {
  std::string vo;         // empty: a single-VO host
  bool multi_vo = false;  // without a VO, the VO `def`
};

struct Question {
  std::string name;  // "contract", "permission", "schema", "algorithms", "call"
  Audience audience;
  bool alias_surl = false;
  std::map<std::string, std::map<std::string, std::string>> config;  // more of the host's configuration
  nlohmann::json more = nlohmann::json::object();                    // what belongs to the question
};

// Where a question is put: a package, seen through `root`, which need not be the package's own (a stage).
struct ProbePlace {
  std::filesystem::path root;
  const Host* host = nullptr;                    // with what it needs, or null
  std::optional<contract::HostVersion> version;  // as which host the question is asked; may be known without its code
};

// One line of JSON from a process that has ended, with all that it has started. A package that prints, hangs, ends the
// process or takes too much memory gives an answer with an "error" like others. Throws an Error: cancelled, start, io.
nlohmann::json ask_package(Workshop& workshop, const Package& package, const ProbePlace& place,
                           const Question& question, const ProbeLimits& limits);

// The same, at the package's own place. A package that cannot be asked without Rucio is asked again with it, if
// `version` can be had.
nlohmann::json ask_with_host_if_needed(Workshop& workshop, const Package& package, const Question& question,
                                       const std::optional<contract::HostVersion>& version, const ProbeLimits& limits);

// `SUPPORTED_VERSION` as a running module says it, judged for a host: {"declared", "rule", "host_major", "verdict",
// "error"} and "findings".
nlohmann::json judge_declared(Workshop& workshop, const Package& package, const nlohmann::json& answer,
                              const contract::HostVersion& version);

}  // namespace venvoy::rucio
