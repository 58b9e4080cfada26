#include "deployer/fork_server.hpp"

#include <algorithm>

#include "atp/pipe_channel.hpp"
#include "base/error.hpp"
#include "deployer/internal/fork_session.hpp"
#include "deployer/internal/standard_pipes.hpp"
#include "os/event_waits.hpp"

namespace venvoy::deployer {

namespace asio = boost::asio;
using internal::ForkSession;

namespace {

// A server that has died so often is not worth another try.
constexpr int max_deaths = 3;

// "a.b.c" → "a"
std::string_view package_of(std::string_view module) {
  return module.substr(0, module.find('.'));
}

}  // namespace

ForkServer::ForkServer(const asio::any_io_executor& executor, os::Keeper& keeper, Launcher& plain,
                       ForkServerSettings settings)
    : executor_(executor), keeper_(keeper), plain_(plain), settings_(std::move(settings)) {}

ForkServer::~ForkServer() {
  retire();
}

void ForkServer::retire() noexcept {
  if (session_) session_->retire_when_idle();
  session_.reset();
}

pid_t ForkServer::pid() const noexcept {
  return session_ && session_->state() == ForkSession::State::serving ? session_->pid() : 0;
}

asio::awaitable<Launched> ForkServer::launch(LaunchRequest request) {
  const std::shared_ptr<ForkSession> session = co_await serving_session(request);
  if (!session || !session->can_fork(request)) co_return co_await plain_.launch(std::move(request));
  internal::StandardPipes pipes = internal::make_standard_pipes();
  std::vector<os::Fd> ends;
  ends.push_back(std::move(pipes.child_input));
  ends.push_back(std::move(pipes.child_output));
  ends.push_back(std::move(pipes.child_error));
  Launched launched;
  launched.process = session->fork(request, std::move(ends));
  launched.channel = std::make_unique<atp::PipeChannel>(executor_, std::move(pipes.input), std::move(pipes.output));
  launched.standard_error = std::move(pipes.error);
  co_return launched;
}

// Null when there is none to be had.
asio::awaitable<std::shared_ptr<ForkSession>> ForkServer::serving_session(const LaunchRequest& request) {
  while (!unusable_) {
    if (!session_) begin(request);
    const std::shared_ptr<ForkSession> session = session_;
    if (!session) break;
    co_await os::wait_for_event(session->settled());
    if (session->state() == ForkSession::State::serving) {
      note_preparation(*session);
      co_return session;
    }
    if (session == session_) look_at_end_of(session);
  }
  co_return nullptr;
}

void ForkServer::begin(const LaunchRequest& request) {
  try {
    Logger logger = settings_.logger.with("source", "deployer");
    const auto session = std::make_shared<ForkSession>(executor_, std::move(logger), settings_.make_work_dir());
    session->start(keeper_, settings_, request);
    session_ = session;
    log_opening();
  } catch (const Error& error) {
    give_up(error.what());
  }
}

void ForkServer::note_preparation(const ForkSession& session) {
  Preparation& known = settings_.preparation;
  if (known.checked && known.harm_of_opening) return;
  const std::vector<std::string>& missing = session.missing();
  std::erase_if(known.modules, [&](const std::string& module) {
    return std::find(missing.begin(), missing.end(), module) != missing.end();
  });
  known.checked = true;
  if (!known.harm_of_opening) known.harm_of_opening = session.harm_of_opening();
  log_opening();
  if (settings_.on_checked) settings_.on_checked(known);
}

void ForkServer::log_opening() const {
  const auto& harm = settings_.preparation.harm_of_opening;
  if (harm && !harm->empty())
    settings_.logger.debug("{}: each step runs the plugin's opening itself: {}", settings_.plugin, *harm);
}

// Of the one that we had: makes up our mind about the next.
void ForkServer::look_at_end_of(const std::shared_ptr<ForkSession>& session) {
  session_.reset();
  if (session->state() == ForkSession::State::retired) return;
  if (session->state() == ForkSession::State::harmful) {
    const std::string harmful = session->harmful_module();
    const auto is_of_package = [&](const std::string& module) { return package_of(module) == package_of(harmful); };
    settings_.logger.debug("{}: the fork server leaves '{}' to the steps: it does more than to define things",
                           settings_.plugin, package_of(harmful));
    settings_.preparation.checked = false;
    if (std::erase_if(settings_.preparation.modules, is_of_package) == 0) give_up("it cannot be told what is harmful");
    return;
  }
  auto& harm = settings_.preparation.harm_of_opening;
  if (!session->was_ready() && harm && harm->empty()) {
    // Not told, as it may have been bad luck: the next engine tries again.
    harm = "it has ended its fork server: " + session->end_text();
    return;
  }
  if (!session->was_ready()) return give_up(session->end_text());
  if (++deaths_ >= max_deaths) give_up("it has died too often, last by " + session->end_text());
}

void ForkServer::give_up(const std::string& reason) {
  unusable_ = true;
  settings_.logger.warning("{}: no fork server can be used, so each step starts Python anew: {}", settings_.plugin,
                           reason);
}

}  // namespace venvoy::deployer
