// The daemon: routes over library calls (spec/governance.md 8.6 to 8.14).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "api/runtime.hpp"
#include "server/access.hpp"
#include "server/http_server.hpp"

namespace venvoy::server {

struct DaemonOptions {
  ListenAddress address;
  bool trust_loopback = false;
  std::filesystem::path state_dir;
  std::optional<std::filesystem::path> workflows;  // where named workflows lie
  bool allow_local = false;                        // submitted texts may read files and variables
  std::string version;                             // of the program
};

// Used on the runtime's loop but for the constructor and the destructor.
class Daemon {
 public:
  // Listens. The runtime governs and outlives the daemon. Throws an Error (usage, io, document).
  Daemon(api::Runtime& runtime, DaemonOptions options);
  ~Daemon();

  // Where it listens: "http://127.0.0.1:8080", "unix:/…/venvoy.sock".
  std::string address() const;
  // The page with its token, for TCP; empty otherwise.
  std::string page_address() const;

  // Serves until stop(); then no runs or requests are left.
  boost::asio::awaitable<void> serve();
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace venvoy::server
