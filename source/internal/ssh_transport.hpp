// git's protocol through a child `ssh` (design D16).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "source/git_url.hpp"
#include "source/internal/sub_transport.hpp"
#include "source/transport.hpp"

namespace venvoy::source {

// Runs `ssh -o BatchMode=yes … [user@]host "git-upload-pack '<path>'"`, so ~/.ssh/config, agent and known_hosts hold
// and nobody is asked for anything. The program is $GIT_SSH or `ssh` in PATH; GIT_SSH_COMMAND is not looked at (a text
// for the shell). One connection for all requests of a fetch.
class SshTransport : public SubTransport {
 public:
  SshTransport(GitUrl url, const Transport& transport, CancelToken cancel);
  ~SshTransport() override;

  bool stateless() const noexcept override { return false; }
  void open(Service service) override;
  void write(std::string_view bytes) override;
  std::size_t read(char* buffer, std::size_t size) override;

 private:
  void start();
  // Waits until the descriptor is ready; collects what the program says on standard error.
  void wait_for(int descriptor, short events);
  void take_errors();
  void count(std::uint64_t bytes);
  // What to say when the stream has ended without an answer.
  [[noreturn]] void fail();

  GitUrl url_;
  std::string shown_url_;
  const Transport& transport_;
  CancelToken cancel_;
  std::unique_ptr<StartedProgram> program_;
  std::string said_;  // the end of standard error
  bool answered_ = false;
  std::uint64_t received_ = 0;
};

}  // namespace venvoy::source
