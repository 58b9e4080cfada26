// What a fetch needs besides the URL: limits, logins, a way to start ssh.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/cancel.hpp"
#include "os/child.hpp"
#include "os/environment.hpp"
#include "os/fd.hpp"

namespace venvoy::source {

struct TransportOptions {
  // Name look-up, connection and TLS handshake together.
  std::chrono::milliseconds connect_timeout{20'000};
  // A server that sends nothing for this long, or fewer than `low_speed_bytes` a second on the average of this time.
  // Only time in which we wait for the server counts.
  std::chrono::milliseconds low_speed_time{60'000};
  std::uint64_t low_speed_bytes = 1;
  int max_redirects = 5;
  std::uint64_t max_advertisement = 256u << 20;      // bytes of the list of references
  std::uint64_t max_pack = std::uint64_t{16} << 30;  // bytes of one answer with objects
  std::chrono::milliseconds helper_timeout{20'000};  // of `git credential`
  // Where HOME, NETRC, GIT_SSL_CAINFO, CURL_CA_BUNDLE, SSL_CERT_FILE, GIT_SSL_CAPATH, SSL_CERT_DIR, GIT_SSH and PATH
  // are read, and what children get. (libcurl reads the proxy variables from the process itself.)
  os::Environment environment = os::current_environment();
};

struct Login {
  std::string user;
  std::string password;
};

// The place that a login is for, in the terms of gitcredentials(7).
struct LoginPlace {
  std::string protocol;
  std::string host;  // with the port if it is not the protocol's own
  std::string path;  // without the slash at its start
  std::string user;  // empty if not known
};

// Finds logins without asking anybody. Called on pool threads; calls may block.
class Credentials {
 public:
  virtual ~Credentials() = default;
  // Nothing if none is known. Throws an Error (cancelled) only.
  virtual std::optional<Login> find(const LoginPlace& place, const CancelToken& cancel) = 0;
  // The server took, or refused, a login that find() gave.
  virtual void approve(const LoginPlace& place, const Login& login) noexcept = 0;
  virtual void reject(const LoginPlace& place, const Login& login) noexcept = 0;
};

// A child process whose pipes somebody reads on a pool thread. The process group is killed when this goes.
class StartedProgram {
 public:
  virtual ~StartedProgram() = default;
  // Our ends, not blocking.
  os::Fd standard_input;
  os::Fd standard_output;
  os::Fd standard_error;
};

// Starts programs from pool threads.
class ProgramStarter {
 public:
  virtual ~ProgramStarter() = default;
  // `spec` has no descriptors yet. Throws an Error (start).
  virtual std::unique_ptr<StartedProgram> start(os::ChildSpec spec) = 0;
};

struct Transport {
  TransportOptions options;
  std::shared_ptr<Credentials> credentials;  // none: only netrc and the URL's own login
  std::shared_ptr<ProgramStarter> programs;  // none: no ssh
};

struct FetchProgress {
  unsigned received_objects = 0;
  unsigned total_objects = 0;
  unsigned indexed_objects = 0;
  std::uint64_t received_bytes = 0;
};
// Called on the thread that fetches.
using FetchProgressSink = std::function<void(const FetchProgress&)>;

}  // namespace venvoy::source
