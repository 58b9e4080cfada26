#include "cli/prepare_plugin.hpp"

#include <utility>

#include "report/plain_progress.hpp"

namespace venvoy::cli {

namespace asio = boost::asio;

std::shared_ptr<deployer::Plugin> prepare_plugin(Session& session, const std::string& reference, const Talk& talk,
                                                 Logger logger) {
  report::PlainProgress progress([&talk](std::string_view text) { talk.line(text); }, system_clock());
  deployer::PrepareContext context{std::move(logger), &progress, session.cancel_token()};
  const auto work = [](api::Runtime& runtime, std::string source,
                       deployer::PrepareContext given) -> asio::awaitable<std::shared_ptr<deployer::Plugin>> {
    co_return co_await runtime.local("python").prepare(std::move(source), std::move(given));
  };
  return session.runtime().wait_for(work(session.runtime(), reference, std::move(context)));
}

}  // namespace venvoy::cli
