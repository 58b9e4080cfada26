// The Python that environments are made of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/cancel.hpp"
#include "base/log.hpp"
#include "cache/key.hpp"
#include "cache/store.hpp"
#include "os/environment.hpp"
#include "os/keeper.hpp"
#include "venv/python_requirement.hpp"

namespace venvoy::venv {

// An interpreter that has been asked, and its file at the time.
struct Interpreter {
  std::filesystem::path program;    // starts it; that of the installation if a virtual environment's was found
  std::filesystem::path real_path;  // `program` without symbolic links
  std::string version;              // "3.11.2"
  std::string implementation;       // "cpython"
  std::string abi;                  // "cpython-311-x86_64-linux-gnu"
  std::string platform;             // "linux-x86_64"
  std::uint64_t inode = 0;          // of `real_path`
  std::int64_t modified = 0;        // of `real_path`, nanoseconds since 1970
};

// Which interpreter somebody wants.
struct InterpreterWish {
  // The value of `pythonPath`: exactly this one. Without it the first that works, and suits, of `python3` and `python`
  // in PATH, /usr/bin/python3, and `python3.N` in PATH, the newest first.
  std::optional<std::string> written;
  PythonRequirement needs;  // of what it is for
  std::string who;          // what that is, for messages and the log
  Logger logger;
};

// Finds interpreters and knows them again: what an interpreter says of itself is kept in the store, under its real path
// and the state of its file, so that a known one is not started. Used on the keeper's thread.
class Interpreters {
 public:
  // Everything outlives this object.
  Interpreters(os::Keeper& keeper, boost::asio::thread_pool& pool, const cache::Store& store,
               const os::Environment& environment);

  // Says in the log which ones were passed over. Throws an Error: environment (nothing there in the words of the Go
  // engine; or nothing that suits, with what was found), cancelled.
  boost::asio::awaitable<Interpreter> find(InterpreterWish wish, CancelToken cancel);

 private:
  // A file that may be an interpreter.
  struct Candidate {
    std::filesystem::path path;
    cache::KeyInputs identity;         // real path and state of the file
    std::optional<Interpreter> known;  // from the store
  };

  std::vector<Candidate> candidates(const InterpreterWish& wish) const;
  Candidate look_at(const std::filesystem::path& path) const;
  boost::asio::awaitable<Interpreter> ask(Candidate candidate, CancelToken cancel);
  Interpreter note(const Candidate& candidate, const std::string& answer) const;

  os::Keeper& keeper_;
  boost::asio::thread_pool& pool_;
  const cache::Store& store_;
  const os::Environment& environment_;
  // Those that the store must not keep, since their file does not tell which interpreter they start (pyenv's scripts).
  std::map<std::string, Interpreter> asked_;
};

}  // namespace venvoy::venv
