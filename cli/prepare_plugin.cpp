#include "cli/prepare_plugin.hpp"

#include <utility>

#include "cli/progress_display.hpp"

namespace venvoy::cli {

namespace asio = boost::asio;

std::shared_ptr<deployer::Plugin> prepare_plugin(Session& session, const std::string& reference, const Talk& talk,
                                                 Logger logger) {
  const ProgressDisplay progress("auto", session, talk);
  deployer::PrepareContext context{std::move(logger), progress.observer(), session.cancel_token()};
  const auto work = [](api::Runtime& runtime, std::string source,
                       deployer::PrepareContext given) -> asio::awaitable<std::shared_ptr<deployer::Plugin>> {
    co_return co_await runtime.local("python").prepare(std::move(source), std::move(given));
  };
  return session.runtime().wait_for(work(session.runtime(), reference, std::move(context)));
}

}  // namespace venvoy::cli
