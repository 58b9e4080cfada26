// What can be wrong, and where.
#pragma once

#include <exception>
#include <string>
#include <vector>

namespace venvoy {

// A place in a file; line and column count from 1, the column in characters, 0 means "not known". All empty when the
// trouble is not about a file.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
};

// One thing that is wrong with, or doubtful about, a file that somebody wrote.
struct Diagnostic {
  enum class Severity { warning, error };
  Severity severity = Severity::error;
  Place at;
  std::string text;
  std::string hint;  // what to do about it; may be empty

  // As the command shows it, without colour and without the line of the file: "error: text", the place, the hint.
  std::string rendered() const;
};

// The kind of a failure, for programs that decide by it. People read the text.
enum class FailureCode {
  usage,             // a call is wrong
  document,          // a workflow, input or configuration file is wrong
  reference,         // the text of a module reference is wrong
  unresolvable,      // repository, commit, package or file is not there
  network,           // a server could not be reached, stalled, or answered nonsense
  authentication,    // a server wants a login that we do not have
  contract_missing,  // the code does not say that it can be run
  contract_unreadable,
  install,      // the environment could not be built
  environment,  // the machine lacks something: interpreter, work directory, space
  start,        // a process could not be started
  plugin,       // a plugin died, broke the protocol or reported an error
  protocol,     // bytes from a peer are not what the protocol says
  limit,        // input from outside is larger or deeper than a named limit
  evaluation,   // an expression failed on its data
  schema,       // data does not fit its type
  denied,       // a gate said no
  timed_out,
  cancelled,
  io,        // the operating system refused a file operation
  internal,  // a bug of venvoy
};

struct Failure {
  FailureCode code = FailureCode::internal;
  std::string text;
  std::string hint;  // what to do about it; may be empty
  Place at;
};

// What calls of this library throw, besides std::bad_alloc.
class EngineError : public std::exception {
 public:
  explicit EngineError(Failure failure, std::vector<Diagnostic> diagnostics = {})
      : failure_(std::move(failure)), diagnostics_(std::move(diagnostics)) {}

  const char* what() const noexcept override { return failure_.text.c_str(); }
  const Failure& failure() const noexcept { return failure_; }
  // Of a configuration that has errors: all of them. Empty otherwise.
  const std::vector<Diagnostic>& diagnostics() const noexcept { return diagnostics_; }

 private:
  Failure failure_;
  std::vector<Diagnostic> diagnostics_;
};

}  // namespace venvoy
