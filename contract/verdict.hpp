// The answer to "is this code what it says it is".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace venvoy::contract {

struct Verdict {
  enum class Kind {
    kept,        // the code carries the contract
    missing,     // it does not
    unreadable,  // it carries one that makes no sense
  };
  Kind kind = Kind::missing;
  // What the verdict rests on: "file .python_deployer_compat", "classifier …"; for the others what was looked for.
  std::string evidence;

  bool kept() const noexcept { return kind == Kind::kept; }
};

// The form in which a verdict is stored: one line of JSON. from_record gives nothing for a text that is no verdict.
std::string to_record(const Verdict& verdict);
std::optional<Verdict> from_record(std::string_view record);

}  // namespace venvoy::contract
