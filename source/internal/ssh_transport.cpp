#include "source/internal/ssh_transport.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/environment.hpp"
#include "source/internal/http_errors.hpp"

namespace venvoy::source {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t max_said = 8192;
constexpr int longest_wait_ms = 200;  // until the token and the clock are looked at again

// One word for the shell on the other side.
std::string shell_word(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '!')
      result += fmt::format("'\\{}'", c);
    else
      result += c;
  }
  return result + "'";
}

// As git does it: "/~user/x" is relative to a home.
std::string remote_path(const GitUrl& url) {
  const std::string path = percent_decoded(url.path);
  return path.compare(0, 2, "/~") == 0 ? path.substr(1) : path;
}

std::vector<std::string> arguments_for(const GitUrl& url, std::chrono::milliseconds connect_timeout) {
  const auto seconds = std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(connect_timeout).count());
  std::vector<std::string> arguments = {"-o", "BatchMode=yes", "-o", fmt::format("ConnectTimeout={}", seconds), "-x",
                                        "-T"};
  if (url.port) arguments.insert(arguments.end(), {"-p", std::to_string(*url.port)});
  if (!url.user.empty()) arguments.insert(arguments.end(), {"-l", url.user});
  arguments.insert(arguments.end(), {"--", url.host, fmt::format("git-upload-pack {}", shell_word(remote_path(url)))});
  return arguments;
}

}  // namespace

SshTransport::SshTransport(GitUrl url, const Transport& transport, CancelToken cancel)
    : url_(std::move(url)), shown_url_(url_.shown()), transport_(transport), cancel_(std::move(cancel)) {}

SshTransport::~SshTransport() = default;

void SshTransport::start() {
  const os::Environment& environment = transport_.options.environment;
  const std::string name = os::get_variable(environment, "GIT_SSH").value_or("ssh");
  const auto program = os::find_program(name, environment);
  if (!program || !transport_.programs)
    throw Error(ErrorCode::environment, fmt::format("cannot fetch {}: there is no program '{}'", shown_url_, name));
  if (!url_.user.empty() && url_.user.front() == '-')
    throw Error(ErrorCode::reference, fmt::format("cannot fetch {}: the user's name starts with '-'", shown_url_));
  os::ChildSpec spec;
  spec.program = *program;
  spec.arguments = arguments_for(url_, transport_.options.connect_timeout);
  spec.environment = environment;
  os::unset_variable(spec.environment, "SSH_ASKPASS");
  spec.working_directory = "/";
  program_.reset();
  said_.clear();
  answered_ = false;
  received_ = 0;
  program_ = transport_.programs->start(std::move(spec));
}

void SshTransport::open(Service service) {
  if (service == Service::advertisement) start();
}

void SshTransport::take_errors() {
  std::array<char, 1024> buffer;
  for (;;) {
    const ssize_t got = ::read(program_->standard_error.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) program_->standard_error.reset();
    if (got <= 0) return;
    said_.append(buffer.data(), static_cast<std::size_t>(got));
    if (said_.size() > max_said) said_.erase(0, said_.size() - max_said);
  }
}

void SshTransport::wait_for(int descriptor, short events) {
  const auto& options = transport_.options;
  const auto limit = answered_ ? options.low_speed_time : options.connect_timeout + options.low_speed_time;
  const auto start = Clock::now();
  for (;;) {
    cancel_.check();
    std::array<pollfd, 2> polled{{{descriptor, events, 0}, {program_->standard_error.get(), POLLIN, 0}}};
    const int ready = ::poll(polled.data(), polled.size(), longest_wait_ms);
    if (ready < 0 && errno != EINTR) throw system_error(errno, "cannot wait for ssh");
    if (ready > 0 && polled[1].revents != 0) take_errors();
    if (ready > 0 && polled[0].revents != 0) return;
    if (Clock::now() - start >= limit) throw stalled_error(shown_url_, limit);
  }
}

void SshTransport::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(program_->standard_input.get(), bytes.data(), bytes.size());
    if (written >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(written));
    else if (errno == EAGAIN)
      wait_for(program_->standard_input.get(), POLLOUT);
    else if (errno != EINTR)
      return;  // it has ended; reading says why
  }
}

void SshTransport::count(std::uint64_t bytes) {
  answered_ = true;
  received_ += bytes;
  const std::uint64_t limit = transport_.options.max_advertisement + transport_.options.max_pack;
  if (received_ > limit)
    throw Error(ErrorCode::limit,
                fmt::format("cannot fetch {}: the server's answer is longer than {} bytes", shown_url_, limit));
}

std::size_t SshTransport::read(char* buffer, std::size_t size) {
  for (;;) {
    const ssize_t got = ::read(program_->standard_output.get(), buffer, size);
    if (got > 0) count(static_cast<std::uint64_t>(got));
    if (got == 0 && !answered_) fail();
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EAGAIN)
      wait_for(program_->standard_output.get(), POLLIN);
    else if (errno != EINTR)
      throw system_error(errno, "cannot read from ssh");
  }
}

// ssh and the other side's git say on standard error what is wrong.
void SshTransport::fail() {
  while (program_->standard_error) wait_for(program_->standard_error.get(), POLLIN);
  std::string reason;
  for (const std::string_view line : split_lines(trim(said_))) {
    if (!reason.empty()) reason += "; ";
    reason += trim(line);
  }
  if (reason.empty()) reason = "ssh ended without a word";
  const bool login = reason.find("Permission denied") != std::string::npos ||
                     reason.find("Host key verification failed") != std::string::npos;
  throw Error(login ? ErrorCode::authentication : ErrorCode::network,
              fmt::format("cannot fetch {}: {}", shown_url_, to_valid_utf8(reason)));
}

}  // namespace venvoy::source
