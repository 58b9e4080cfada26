// What commands that only look have found: told to people at once, and kept as data.
#pragma once

#include "base/exit_code.hpp"
#include "base/issue.hpp"
#include "cli/common.hpp"
#include "schema/value.hpp"

namespace venvoy::cli {

class Findings {
 public:
  // The talk outlives this object.
  explicit Findings(const Talk& talk) : talk_(talk) {}

  void add(const Issue& issue);
  void add(const Error& error);

  // could_not_look when every finding is a failure to reach something, which says nothing about the files.
  CheckExit exit() const noexcept;
  // A list of maps: severity, text, and where they are known file, line, column and hint. Once.
  schema::List take() { return std::move(list_); }

 private:
  const Talk& talk_;
  schema::List list_;
  bool looked_ = false;
  bool any_ = false;
};

}  // namespace venvoy::cli
