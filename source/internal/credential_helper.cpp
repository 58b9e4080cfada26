#include "source/internal/credential_helper.hpp"

#include <future>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace venvoy::source {
namespace {

constexpr std::size_t max_answer = 64u << 10;
constexpr std::chrono::seconds slack{5};  // beyond the program's own time-out: for a loop that does not run

os::Environment without_prompts(os::Environment environment) {
  os::set_variable(environment, "GIT_TERMINAL_PROMPT", "0");
  // Set and empty: neither core.askPass nor SSH_ASKPASS is looked at.
  os::set_variable(environment, "GIT_ASKPASS", "");
  os::unset_variable(environment, "SSH_ASKPASS");
  os::set_variable(environment, "GCM_INTERACTIVE", "never");
  for (const char* name : {"GIT_DIR", "GIT_WORK_TREE", "GIT_TRACE", "GIT_TRACE_CURL"})
    os::unset_variable(environment, name);
  return environment;
}

void add_line(std::string& text, std::string_view key, std::string_view value) {
  if (!value.empty()) text += fmt::format("{}={}\n", key, value);
}

// The lines of git's credential protocol. Nothing with a line end may get into one: it would be another line.
std::optional<std::string> description(const LoginPlace& place, const Login& login) {
  std::string text;
  add_line(text, "protocol", place.protocol);
  add_line(text, "host", place.host);
  add_line(text, "path", place.path);
  add_line(text, "username", login.user);
  add_line(text, "password", login.password);
  for (const std::string* part : {&place.protocol, &place.host, &place.path, &login.user, &login.password})
    if (part->find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos) return std::nullopt;
  return text;
}

std::optional<Login> parse_answer(std::string_view answer) {
  Login login;
  bool has_password = false;
  for (const std::string_view line : split_lines(answer)) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, equals);
    if (key == "username") login.user = std::string(line.substr(equals + 1));
    if (key == "password") {
      login.password = std::string(line.substr(equals + 1));
      has_password = true;
    }
  }
  if (!has_password) return std::nullopt;
  return login;
}

}  // namespace

GitCredentialHelper::GitCredentialHelper(const boost::asio::any_io_executor& executor, os::Keeper& keeper,
                                         const TransportOptions& options)
    : executor_(executor),
      keeper_(keeper),
      timeout_(options.helper_timeout),
      environment_(without_prompts(options.environment)),
      git_(os::find_program("git", options.environment)) {}

std::optional<std::string> GitCredentialHelper::run(const std::string& action, std::string input,
                                                    const CancelToken& cancel) {
  if (!git_) return std::nullopt;
  os::ProgramSpec spec;
  spec.program = *git_;
  spec.arguments = {"-c", "credential.interactive=false", "credential", action};
  spec.environment = environment_;
  spec.working_directory = "/";
  spec.input = std::move(input);
  os::ProgramLimits limits;
  limits.timeout = timeout_;
  limits.max_output = max_answer;

  const auto promise = std::make_shared<std::promise<os::ProgramResult>>();
  std::future<os::ProgramResult> answer = promise->get_future();
  boost::asio::co_spawn(executor_, os::run_program(keeper_, std::move(spec), limits, cancel),
                        [promise](std::exception_ptr failure, os::ProgramResult result) {
                          if (failure)
                            promise->set_exception(failure);
                          else
                            promise->set_value(std::move(result));
                        });
  if (answer.wait_for(timeout_ + limits.grace + slack) != std::future_status::ready) return std::nullopt;
  const os::ProgramResult result = answer.get();
  if (!result.exit.ok() || result.timed_out) return std::nullopt;
  return result.output;
}

std::optional<Login> GitCredentialHelper::find(const LoginPlace& place, const CancelToken& cancel) {
  const auto input = description(place, {place.user, ""});
  if (!input) return std::nullopt;
  std::optional<std::string> answer;
  try {
    answer = run("fill", *input, cancel);
  } catch (const std::exception&) {
    cancel.check();
    return std::nullopt;  // a helper that cannot be run knows no login
  }
  return answer ? parse_answer(*answer) : std::nullopt;
}

void GitCredentialHelper::tell(const std::string& action, const LoginPlace& place, const Login& login) noexcept {
  try {
    if (const auto input = description(place, login)) run(action, *input, {});
  } catch (const std::exception&) {
    // What helpers remember is a convenience.
  }
}

void GitCredentialHelper::approve(const LoginPlace& place, const Login& login) noexcept {
  tell("approve", place, login);
}

void GitCredentialHelper::reject(const LoginPlace& place, const Login& login) noexcept {
  tell("reject", place, login);
}

}  // namespace venvoy::source
