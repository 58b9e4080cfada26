// Logins from git's credential helpers (gitcredentials(7)).
#pragma once

#include <filesystem>

#include <boost/asio/any_io_executor.hpp>

#include "os/keeper.hpp"
#include "os/run_program.hpp"
#include "source/transport.hpp"

namespace venvoy::source {

// Runs `git credential fill`, `approve` and `reject` with every way to ask a person closed. Called on pool threads; the
// program runs on the keeper's executor, which must be running. Without a git program nothing is ever found.
class GitCredentialHelper : public Credentials {
 public:
  GitCredentialHelper(const boost::asio::any_io_executor& executor, os::Keeper& keeper,
                      const TransportOptions& options);

  std::optional<Login> find(const LoginPlace& place, const CancelToken& cancel) override;
  void approve(const LoginPlace& place, const Login& login) noexcept override;
  void reject(const LoginPlace& place, const Login& login) noexcept override;

 private:
  // The output; nothing if the program failed.
  std::optional<std::string> run(const std::string& action, std::string input, const CancelToken& cancel);
  void tell(const std::string& action, const LoginPlace& place, const Login& login) noexcept;

  boost::asio::any_io_executor executor_;
  os::Keeper& keeper_;
  std::chrono::milliseconds timeout_;
  os::Environment environment_;
  std::optional<std::filesystem::path> git_;
};

}  // namespace venvoy::source
