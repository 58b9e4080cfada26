#include "os/child.hpp"

#include <signal.h>
#include <string.h>
#include <system_error>

#include <fmt/format.h>

#include "os/internal/child_state.hpp"
#include "os/internal/keeper_connection.hpp"

namespace venvoy::os {

std::string ExitInfo::text() const {
  if (kind == Kind::lost && !note.empty()) return "was lost: " + note;
  if (!note.empty()) {
    ExitInfo bare = *this;
    bare.note.clear();
    return fmt::format("{}; {}", bare.text(), note);
  }
  switch (kind) {
    case Kind::exited:
      return fmt::format("exit code {}", number);
    case Kind::signalled:
      if (const char* name = ::sigabbrev_np(number)) return fmt::format("signal {} (SIG{})", number, name);
      return fmt::format("signal {}", number);
    case Kind::not_started:
      return fmt::format("could not be started: {}", std::generic_category().message(number));
    case Kind::lost:
      break;
  }
  return "was lost: the keeper of processes has ended";
}

namespace internal {

ChildState::~ChildState() {
  keeper->abandon(*this);
}

WatchState::~WatchState() {
  keeper->forget_watch(token);
}

}  // namespace internal

void LimitWatch::settle(std::function<void(std::optional<ExceededLimit>)> settled) {
  state_->settled = std::move(settled);
  state_->keeper->end_watch(state_->token);
}

pid_t Child::pid() const noexcept {
  return state_ ? state_->pid : 0;
}

const std::optional<ExitInfo>& Child::exit() const noexcept {
  static const std::optional<ExitInfo> none;
  return state_ ? state_->exit : none;
}

Event& Child::ended() noexcept {
  return state_->ended;
}

void Child::signal(int number) noexcept {
  if (state_) state_->keeper->signal(*state_, number);
}

void Child::kill() noexcept {
  signal(SIGKILL);
}

}  // namespace venvoy::os
