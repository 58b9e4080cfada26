// A small HTTP server on loopback, on the engine's loop, that hands one installer the pages of an index.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace venvoy::venv::internal {

// Bound to 127.0.0.1, under a path that nobody can guess. Used on one executor. Answers GET and HEAD of
// `<url>/<project>/`; whatever is asked otherwise is not there.
class IndexServer {
 public:
  // The page of a project, by its normalised name; empty: there is none. Must not throw.
  using Pages = std::function<boost::asio::awaitable<std::string>(std::string)>;

  // Listens from now on. Throws an Error (environment) if that cannot be done.
  IndexServer(const boost::asio::any_io_executor& executor, Pages pages);
  // Hangs up; `pages` may then be used until finish() has completed, or the loop ends.
  ~IndexServer();

  // "http://127.0.0.1:<port>/<32 random digits>/simple"
  const std::string& url() const noexcept;

  // Hangs up, and completes when no page is being made any more.
  boost::asio::awaitable<void> finish();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace venvoy::venv::internal
