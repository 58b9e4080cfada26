// Errors: one sentence, the frames around it, where it happened and what to do.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/position.hpp"

namespace venvoy {

// What kind of failure it is, for those who must decide by it: exit codes, retries, tests. People read the sentence.
enum class ErrorCode {
  usage,             // the command line or an API call is wrong
  document,          // a workflow, input or configuration file is wrong
  reference,         // the text of a module reference is wrong
  unresolvable,      // repository, commit, package or file is not there
  network,           // a server could not be reached, stalled, or answered nonsense
  authentication,    // a server wants a login that we do not have
  contract_missing,  // the code does not carry the contract that it needs to be run
  contract_unreadable,
  install,      // the environment could not be built
  environment,  // the machine lacks something: interpreter, work directory, space
  start,        // a process could not be started
  plugin,       // a plugin died, broke the protocol or reported an error
  protocol,     // bytes from a peer are not what the protocol says
  limit,        // input from outside is larger or deeper than a named limit
  evaluation,   // an expression failed on its data
  schema,       // data does not fit its type
  denied,       // a policy said no
  timed_out,
  cancelled,
  io,        // the operating system refused a file operation
  internal,  // our own bug
};

// A failure that ends the work it happens in. Thrown by value, caught by reference.
//
// The layer that knows a name adds it as a frame on the way up (see in_context); what() then reads
// "outer frame (inner frame (message))", the form in which the Go engine nests its errors and which its users search
// for.
class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message);

  ErrorCode code() const noexcept { return code_; }
  // The sentence itself, without frames.
  const std::string& message() const noexcept { return message_; }
  // Frames, innermost first.
  const std::vector<std::string>& frames() const noexcept { return frames_; }
  const Position& position() const noexcept { return position_; }
  // What the reader can do about it; empty if there is nothing better to say than the message.
  const std::string& hint() const noexcept { return hint_; }

  Error& add_frame(std::string frame);
  // Keeps the position that is there: the innermost layer knows best.
  Error& at(Position position);
  Error& with_hint(std::string hint);

  const char* what() const noexcept override { return what_.c_str(); }

 private:
  ErrorCode code_;
  std::string message_;
  std::vector<std::string> frames_;
  Position position_;
  std::string hint_;
  std::string what_;
};

// An Error of a failed system call: message "<doing>: <text of errno>". `error_number` is taken before anything else
// can change errno.
Error system_error(int error_number, std::string_view doing, ErrorCode code = ErrorCode::io);

// Runs `work` and gives every Error that leaves it the frame `doing`.
template <class Work>
decltype(auto) in_context(std::string_view doing, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (Error& error) {
    error.add_frame(std::string(doing));
    throw;
  }
}

}  // namespace venvoy
