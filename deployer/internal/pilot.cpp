#include "deployer/internal/pilot.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/environment.hpp"
#include "os/event_waits.hpp"
#include "os/message_socket.hpp"

namespace venvoy::deployer::internal {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kept_pilot_words = std::size_t{4} << 10;
constexpr std::size_t most_places = 4096;
// Until a program that has lost its stream tells why.
constexpr std::chrono::milliseconds carrier_end = 1s;
constexpr std::chrono::milliseconds last_pilot_words = 300ms;

std::filesystem::path program_of(const PilotNode& node, const os::Environment& environment) {
  auto program = os::find_program(node.command.front(), environment);
  if (!program) throw Error(ErrorCode::start, fmt::format("the program '{}' is not in PATH", node.command.front()));
  return std::move(*program);
}

// In one line, for a sentence.
std::string joined(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (std::size_t at = 0; (at = text.find('\n', at)) != text.npos;) text.replace(at, 1, "; ");
  return text;
}

}  // namespace

Pilot::Pilot(const asio::any_io_executor& executor, os::Keeper& here, PilotNode wanted, const PilotSettings& settings,
             std::uint64_t given_number)
    : node(std::move(wanted)), number(given_number), places(settings.places), settled(executor), gone(executor) {
  os::MessageSockets channel = os::make_message_sockets();
  os::Pipe there = os::make_pipe();
  os::Pipe back = os::make_pipe();
  os::Pipe told = os::make_pipe();
  os::Pipe words_of_carrier = os::make_pipe();
  os::Pipe words_of_link = os::make_pipe();

  os::ChildSpec spec;
  spec.environment = os::current_environment();
  spec.program = program_of(node, spec.environment);
  spec.arguments.assign(node.command.begin() + 1, node.command.end());
  spec.working_directory = "/";
  spec.standard_input = std::move(there.read_end);
  spec.standard_output = std::move(back.write_end);
  spec.standard_error = std::move(words_of_carrier.write_end);
  carrier = here.start(std::move(spec));

  os::ChildSpec link_spec;
  link_spec.program = settings.link;
  link_spec.arguments = {"--link"};
  link_spec.environment = os::current_environment();
  link_spec.working_directory = "/";
  link_spec.standard_input = std::move(channel.theirs);
  link_spec.standard_output = std::move(told.write_end);
  link_spec.standard_error = std::move(words_of_link.write_end);
  link_spec.more.push_back(std::move(back.read_end));
  link_spec.more.push_back(std::move(there.write_end));
  link = here.start(std::move(link_spec));

  const auto log = [logger = settings.logger, name = node.name](std::string_view line) {
    logger.debug("{}: {}", name, line);
  };
  carrier_words =
      std::make_unique<StderrReader>(executor, std::move(words_of_carrier.read_end), kept_pilot_words, nullptr, log);
  link_words =
      std::make_unique<StderrReader>(executor, std::move(words_of_link.read_end), kept_pilot_words, nullptr, log);
  facts = std::make_unique<StderrReader>(executor, std::move(told.read_end), kept_pilot_words, nullptr,
                                         [this](std::string_view line) { take_facts(line); });
  keeper = std::make_unique<os::Keeper>(executor, std::move(channel.ours), settings.child_file_limit);
  plain = std::make_unique<ExecLauncher>(executor, *keeper, settings.starter);
}

// "PROCESSORS NAME"
void Pilot::take_facts(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (is_serving || space == line.npos) return;
  std::size_t processors = 0;
  std::from_chars(line.data(), line.data() + space, processors);
  if (places == 0) places = std::clamp<std::size_t>(processors, 1, most_places);
  if (node.name.empty()) told_name = to_valid_utf8(line.substr(space + 1));
  is_serving = has_served = true;
  settled.fire();
}

asio::awaitable<void> watch_pilot(std::shared_ptr<Pilot> pilot) {
  co_await os::wait_for_event(pilot->link.ended());
  pilot->is_serving = false;
  co_await os::wait_for_event(pilot->carrier.ended(), carrier_end);
  const bool by_itself = pilot->carrier.exit().has_value();
  pilot->carrier.kill();
  co_await os::wait_for_event(pilot->carrier_words->ended(), last_pilot_words);
  co_await os::wait_for_event(pilot->link_words->ended(), last_pilot_words);
  std::string reason = joined(pilot->carrier_words->tail());
  // What carries the stream knows better why it ended than what hangs on it.
  if (reason.empty() || !by_itself) {
    const std::string words = joined(pilot->link_words->tail());
    reason = reason.empty() ? words : words + "; " + reason;
  }
  if (by_itself && !pilot->carrier.exit()->ok())
    reason += fmt::format("{}'{}': {}", reason.empty() ? "" : "; ", pilot->node.command.front(),
                          pilot->carrier.exit()->text());
  if (reason.empty()) reason = pilot->link.exit() ? pilot->link.exit()->text() : "nobody knows why";
  pilot->end = fmt::format("the pilot on node '{}' {}: {}", pilot->name(),
                           pilot->has_served ? "has ended" : "could not be started", reason);
  pilot->gone.fire();
  pilot->settled.fire();
}

}  // namespace venvoy::deployer::internal
