#include "deployer/internal/own_store.hpp"

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/cancel.hpp"
#include "base/error.hpp"
#include "deployer/internal/stderr_reader.hpp"
#include "os/child.hpp"
#include "os/environment.hpp"
#include "os/event_waits.hpp"
#include "os/run_program.hpp"

namespace venvoy::deployer::internal {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kept_filler_words = std::size_t{4} << 10;

os::ChildSpec filler_spec(std::filesystem::path python, std::vector<std::string> arguments) {
  os::ChildSpec spec;
  spec.program = std::move(python);
  spec.arguments = std::move(arguments);
  spec.environment = os::current_environment();
  spec.working_directory = "/";
  return spec;
}

asio::awaitable<os::ProgramResult> run_there(os::Keeper& there, const char* program,
                                             std::vector<std::string> arguments) {
  os::ProgramSpec spec;
  spec.program = program;
  spec.arguments = std::move(arguments);
  spec.environment = os::current_environment();
  spec.working_directory = "/";
  os::ProgramLimits limits;
  CancelToken cancel;
  co_return co_await os::run_program(there, std::move(spec), limits, cancel);
}

}  // namespace

struct EnvironmentThere::State {
  explicit State(const asio::any_io_executor& executor) : settled(executor) {}
  os::Child sender, filler;
  std::unique_ptr<StderrReader> sender_words, filler_words, answer;
  os::Event settled;
  bool is_ready = false;

  static asio::awaitable<void> watch(std::shared_ptr<State> self) {
    co_await os::wait_for_event(self->filler.ended());
    co_await os::wait_for_event(self->filler_words->ended());
    self->settled.fire();
  }

  std::string reason() const {
    std::string words = sender_words->tail() + filler_words->tail();
    while (!words.empty() && words.back() == '\n') words.pop_back();
    if (!words.empty()) return words;
    return filler.exit() ? filler.exit()->text() : std::string("no answer");
  }
};

EnvironmentThere::EnvironmentThere(const asio::any_io_executor& executor, os::Keeper& here, os::Keeper& there,
                                   venv::ReadyEnvPtr environment, const std::filesystem::path& work_folder,
                                   const std::filesystem::path& script_here, const std::filesystem::path& script_there)
    : state_(std::make_shared<State>(executor)) {
  const std::string folder = environment->lease.path().string();
  os::Pipe bytes = os::make_pipe();
  os::Pipe answer = os::make_pipe();
  os::Pipe sender_words = os::make_pipe();
  os::Pipe filler_words = os::make_pipe();

  os::ChildSpec sender = filler_spec(environment->python, {"-I", script_here.string(), "--send", folder});
  sender.standard_output = std::move(bytes.write_end);
  sender.standard_error = std::move(sender_words.write_end);
  state_->sender = here.start(std::move(sender));

  // The environment's own interpreter is not there yet.
  const std::filesystem::path python = environment->lease.details().at("python").at("path").get<std::string>();
  os::ChildSpec filler = filler_spec(python, {"-I", script_there.string(), folder, work_folder.string()});
  filler.standard_input = std::move(bytes.read_end);
  filler.standard_output = std::move(answer.write_end);
  filler.standard_error = std::move(filler_words.write_end);
  state_->filler = there.start(std::move(filler));

  state_->sender_words = std::make_unique<StderrReader>(executor, std::move(sender_words.read_end), kept_filler_words,
                                                        nullptr, [](std::string_view) {});
  state_->filler_words = std::make_unique<StderrReader>(executor, std::move(filler_words.read_end), kept_filler_words,
                                                        nullptr, [](std::string_view) {});
  state_->answer = std::make_unique<StderrReader>(executor, std::move(answer.read_end), kept_filler_words, nullptr,
                                                  [weak = std::weak_ptr<State>(state_)](std::string_view line) {
                                                    const auto alive = weak.lock();
                                                    if (!alive || line != "ready") return;
                                                    alive->is_ready = true;
                                                    alive->settled.fire();
                                                  });
  asio::co_spawn(executor, State::watch(state_), asio::detached);
}

EnvironmentThere::~EnvironmentThere() {
  state_->sender.kill();
  state_->filler.kill();
}

asio::awaitable<void> EnvironmentThere::ready() {
  const std::shared_ptr<State> state = state_;
  co_await os::wait_for_event(state->settled);
  if (!state->is_ready)
    throw Error(ErrorCode::start, fmt::format("the environment could not be brought to the node: {}", state->reason()));
}

asio::awaitable<void> make_folder_there(os::Keeper& there, std::filesystem::path folder) {
  std::vector<std::string> arguments = {"-p", "-m", "700", "--", folder.string()};
  const os::ProgramResult result = co_await run_there(there, "/bin/mkdir", std::move(arguments));
  if (!result.exit.ok())
    throw Error(ErrorCode::start, fmt::format("a working directory could not be made on the node ({}): {}",
                                              result.exit.text(), result.error_tail));
}

asio::awaitable<void> remove_folder_there(os::Keeper& there, std::filesystem::path folder) {
  std::vector<std::string> arguments = {"-rf", "--", folder.string()};
  try {
    co_await run_there(there, "/bin/rm", std::move(arguments));
  } catch (const Error&) {
    // The machine has gone.
  }
}

}  // namespace venvoy::deployer::internal
