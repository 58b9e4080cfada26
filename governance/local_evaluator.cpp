#include "governance/local_evaluator.hpp"

#include <algorithm>
#include <csignal>
#include <deque>
#include <map>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "base/text.hpp"
#include "os/event_waits.hpp"
#include "os/files.hpp"
#include "os/on_pool.hpp"
#include "schema/json.hpp"

namespace venvoy::governance {

namespace asio = boost::asio;

namespace {

using schema::Map;
using schema::Value;

// Of what a policy prints, its end.
constexpr std::size_t kept_output = std::size_t{64} << 10;
// Room for the frame of an answer, beside the answer itself.
constexpr std::size_t frame_bytes = 8 << 10;
// A policy that has answered gets this long to end by itself.
constexpr std::chrono::milliseconds end_after_answer{2000};
constexpr std::chrono::milliseconds last_output{500};
constexpr std::chrono::milliseconds server_idle_time{60'000};
constexpr int max_answer_depth = 100;
constexpr std::size_t max_kept_environments = 256;

// Lets so many coroutines go on at a time, in the order in which they came.
class Slots {
 public:
  Slots(asio::any_io_executor executor, std::size_t free) : executor_(std::move(executor)), free_(free) {}

  asio::awaitable<void> take() {
    if (free_ > 0 && waiting_.empty()) {
      --free_;
      co_return;
    }
    const auto turn = std::make_shared<os::Event>(executor_);
    waiting_.push_back(turn);
    co_await os::wait_for_event(*turn);
  }

  void give() {
    if (waiting_.empty()) {
      ++free_;
      return;
    }
    waiting_.front()->fire();
    waiting_.pop_front();
  }

 private:
  asio::any_io_executor executor_;
  std::size_t free_;
  std::deque<std::shared_ptr<os::Event>> waiting_;
};

class SlotHolder {
 public:
  explicit SlotHolder(Slots& slots) : slots_(slots) {}
  ~SlotHolder() { slots_.give(); }
  SlotHolder(const SlotHolder&) = delete;
  SlotHolder& operator=(const SlotHolder&) = delete;

 private:
  Slots& slots_;
};

// A process under way, shared with what reads from it.
struct PolicyProcess {
  PolicyProcess(const asio::any_io_executor& executor, deployer::Launched given)
      : process(std::move(given.process)),
        channel(std::move(given.channel)),
        errors(executor, given.standard_error.release()),
        errors_ended(executor) {}

  std::unique_ptr<deployer::RunningProcess> process;
  std::unique_ptr<atp::ByteChannel> channel;
  asio::posix::stream_descriptor errors;
  os::Event errors_ended;
  std::string output;
  std::string answer;
  bool too_long = false;
};

using PolicyProcessPtr = std::shared_ptr<PolicyProcess>;

asio::awaitable<void> read_output(PolicyProcessPtr running) {
  std::string buffer(16 << 10, '\0');
  const auto space = asio::buffer(buffer);
  while (true) {
    boost::system::error_code failure;
    auto token = asio::redirect_error(asio::use_awaitable, failure);
    const std::size_t bytes = co_await running->errors.async_read_some(space, token);
    if (failure) break;
    running->output.append(buffer, 0, bytes);
    if (running->output.size() > 2 * kept_output) running->output.erase(0, running->output.size() - kept_output);
  }
  running->errors_ended.fire();
}

// Sends the request and reads until the stream ends or has become too long.
asio::awaitable<void> converse(PolicyProcessPtr running, std::string request, std::size_t max_answer) {
  std::vector<std::byte> buffer(64 << 10);
  try {
    const auto bytes = std::as_bytes(std::span(request));
    co_await running->channel->write_all(bytes);
    running->channel->close_write();
    while (true) {
      const std::size_t count = co_await running->channel->read_some(buffer);
      if (count == 0) break;
      running->answer.append(reinterpret_cast<const char*>(buffer.data()), count);
      running->too_long = running->answer.size() > max_answer;
      // Two lines are the whole of it. The stream may stay open: what the policy has forked may hold it.
      if (running->too_long || std::count(running->answer.begin(), running->answer.end(), '\n') >= 2) break;
    }
  } catch (const Error&) {
    // The process has gone; how it ended says why.
  }
}

std::string_view kind_of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::network:
    case ErrorCode::authentication:
    case ErrorCode::unresolvable:
      return "fetch";
    default:
      return "install";
  }
}

}  // namespace

Evaluation failed_evaluation(std::string kind, std::string message) {
  Evaluation result;
  result.error_kind = std::move(kind);
  result.error = std::move(message);
  return result;
}

Value merged(const Value& below, const Value& over) {
  Map result = below.kind() == schema::Kind::map ? below.as_map() : Map();
  if (over.kind() == schema::Kind::map)
    for (const auto& [key, value] : over.as_map()) result.set(key, value);
  return result;
}

struct LocalEvaluator::State : std::enable_shared_from_this<LocalEvaluator::State> {
  State(LocalServices given, const LocalSettings& given_settings, Registry& given_registry, PolicyCode& given_code)
      : services(std::move(given)),
        settings(given_settings),
        registry(given_registry),
        code(given_code),
        slots(services.executor, settings.max_parallel > 0
                                     ? static_cast<std::size_t>(settings.max_parallel)
                                     : std::max<std::size_t>(2, 2 * std::thread::hardware_concurrency())) {}

  LocalServices services;
  LocalSettings settings;
  Registry& registry;
  PolicyCode& code;
  Slots slots;
  // An environment that has been used here: it stays leased.
  struct Used {
    venv::ReadyEnvPtr environment;
    std::unique_ptr<deployer::ForkServer> server;  // from the second use on
  };
  std::map<std::string, std::shared_ptr<Used>> environments;

  struct Prepared {
    PolicyRecord record;
    PolicySource source;
    std::shared_ptr<Used> used;
  };

  asio::awaitable<Prepared> prepare(RuleId id, CancelToken cancel) {
    Prepared prepared;
    std::function<Prepared(const CancelToken&)> look = [this, id](const CancelToken& token) {
      Prepared found;
      found.record = registry.find(id, token);
      found.source = code.locate(found.record, token);
      return found;
    };
    prepared = co_await os::on_pool<Prepared>(services.pool, cancel, std::move(look));
    const std::string& text = prepared.source.reference.text;
    const std::string name = prepared.source.module + "\n" + text;
    const auto known = environments.find(name);
    if (known != environments.end()) {
      prepared.used = known->second;
      if (!prepared.used->server) start_server(prepared.used.get());
      co_return prepared;
    }
    venv::ReadyEnvPtr environment = co_await install(prepared.source, cancel);
    if (environments.size() >= max_kept_environments) give_back_all();
    prepared.used = std::make_shared<Used>();
    prepared.used->environment = std::move(environment);
    // Whoever was faster has made the same.
    prepared.used = environments.emplace(name, prepared.used).first->second;
    co_return prepared;
  }

  // Only what the evaluator itself imports is imported beforehand: nothing of the policy, nor of what it requires, is
  // run before the fences of its own process are up.
  void start_server(Used* used) {
    if (!services.keeper || !services.fork_servers()) return;
    deployer::ForkServerSettings settings_of_server;
    settings_of_server.starter = services.starter;
    settings_of_server.plugin = used->environment->reference;
    settings_of_server.preparation.modules = {"venvoy_policy_work"};
    settings_of_server.preparation.checked = true;
    settings_of_server.preparation.harm_of_opening = "it is that of the policy, too";
    settings_of_server.idle_time = server_idle_time;
    settings_of_server.make_work_dir = [this] { return services.workshop().store.make_work_dir(); };
    settings_of_server.logger = services.logger;
    used->server = std::make_unique<deployer::ForkServer>(services.executor, *services.keeper, services.launcher,
                                                          std::move(settings_of_server));
  }

  void give_back_all() {
    const auto workshop = services.workshop();
    for (auto& [name, used] : environments) {
      used->server.reset();
      workshop.environments->give_back(used->environment);
    }
    environments.clear();
  }

  // Under the limit for installations, which is none of the evaluation.
  asio::awaitable<venv::ReadyEnvPtr> install(const PolicySource& source, CancelToken cancel) {
    CancelSource stop;
    const auto late = std::make_shared<bool>(false);  // the timer's handler may come after the end of this
    const auto link = cancel.on_cancel([stop]() mutable { stop.cancel(); });
    asio::steady_timer timer(services.executor, settings.install_timeout);
    timer.async_wait([stop, late](const boost::system::error_code& error) mutable {
      if (error) return;
      *late = true;
      stop.cancel();
    });
    venv::GetContext context;
    context.logger = services.logger;
    context.cancel = stop.token();
    venv::Settings wanted = services.environments();
    source::ModuleRef reference = source.reference;
    std::optional<Error> failure;
    try {
      const auto workshop = services.workshop();
      auto environment = co_await workshop.environments->get(std::move(reference), services.contract, std::move(wanted),
                                                             std::move(context));
      co_return environment;
    } catch (const Error& error) {
      failure = error;
    }
    cancel.check();
    if (*late)
      throw PolicyError("install",
                        fmt::format("the installation took longer than {} s", settings.install_timeout.count() / 1000));
    throw PolicyError(std::string(kind_of(*failure)), failure->what());
  }

  std::string request_text(const PolicyQuestion& question, const Prepared& prepared, const Value& parameters) const {
    const PolicyRecord& record = prepared.record;
    Map limits({{"cpu_s", settings.cpu_s},
                {"memory_bytes", settings.memory_mb << 20},
                {"file_bytes", settings.file_mb << 20},
                {"open_files", settings.open_files}});
    Map request({{"v", 1},
                 {"op", question.management ? "management" : "eval"},
                 {"rule_id", question.id.text()},
                 {"settings", record.settings},
                 {"parameters", parameters},
                 {"context", Map()},
                 {"network", settings.network},
                 {"require_isolation", settings.require_isolation},
                 {"limits", std::move(limits)}});
    if (question.management) {
      request.set("management_action", *question.management);
      request.set("data", question.input);
    } else {
      request.set("input_data", question.input);
    }
    if (prepared.source.module.empty()) {
      request.set("package", "venvoy_policy");
      request.set("unique_name", "policy_" + prepared.source.sha256.substr(0, 16));
    } else {
      request.set("module", prepared.source.module);
    }
    return schema::write_json(request, {.indent = 0});
  }

  deployer::LaunchRequest launch_request(const Prepared& prepared, const std::filesystem::path& folder) const {
    deployer::LaunchRequest request;
    request.python = prepared.used->environment->python;
    request.module = "venvoy_policy_evaluator";
    request.working_directory = folder;
    for (const char* name : {"LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"})
      if (const auto value = os::get_variable(services.environment, name))
        os::set_variable(request.environment, name, *value);
    os::set_variable(request.environment, "PATH", "/usr/local/bin:/usr/bin:/bin");
    os::set_variable(request.environment, "HOME", folder.string());
    os::set_variable(request.environment, "TMPDIR", folder.string());
    os::set_variable(request.environment, "PYTHONPATH", services.scripts.string());
    os::set_variable(request.environment, "PYTHONDONTWRITEBYTECODE", "1");
    os::set_variable(request.environment, "PYTHONUNBUFFERED", "1");
    return request;
  }

  asio::awaitable<Evaluation> ask(PolicyQuestion question, Prepared prepared) {
    const Value parameters = merged(prepared.record.parameters, question.parameters);
    if (std::string fault = input_fault(question, prepared.record, parameters); !fault.empty())
      co_return failed_evaluation("config", fault);
    const auto folder = std::make_shared<cache::WorkDir>(services.workshop().store.make_work_dir());
    std::string request = request_text(question, prepared, parameters);
    deployer::LaunchRequest launch = launch_request(prepared, folder->path());
    deployer::ForkServer* server = prepared.used->server.get();
    deployer::Launcher& launcher = server ? static_cast<deployer::Launcher&>(*server) : services.launcher;
    deployer::Launched launched = co_await launcher.launch(std::move(launch));
    const auto running = std::make_shared<PolicyProcess>(services.executor, std::move(launched));
    asio::co_spawn(services.executor, read_output(running), asio::detached);
    const bool late = co_await talk(running, std::move(request));
    if (!late && !running->too_long) co_await os::wait_for_event(running->process->ended(), end_after_answer);
    const bool ended = running->process->exit().has_value();
    running->process->kill();
    co_await os::wait_for_event(running->process->ended());
    running->channel->close();
    co_await os::wait_for_event(running->errors_ended, last_output);
    boost::system::error_code ignored;
    running->errors.close(ignored);
    std::function<bool(const CancelToken&)> remove = [folder](auto&) { return folder->remove(), true; };
    const CancelToken never;
    co_await os::on_pool<bool>(services.pool, never, std::move(remove));
    Evaluation result = judge(*running, late, ended);
    result.output = to_valid_utf8(tail(running->output, kept_output));
    result.code_sha256 = prepared.source.sha256.empty() ? prepared.used->environment->version : prepared.source.sha256;
    if (result.answer && !question.management)
      if (std::string fault = schema_fault(prepared.record.output_schema, *result.answer, "the policy's answer");
          !fault.empty()) {
        result.answer.reset();
        result.error_kind = "bad_output";
        result.error = fault;
      }
    co_return result;
  }

  static std::string input_fault(const PolicyQuestion& question, const PolicyRecord& record, const Value& parameters) {
    std::string fault = schema_fault(record.settings_schema, record.settings, "the settings of the policy");
    if (fault.empty()) fault = schema_fault(record.parameters_schema, parameters, "the parameters of the rule");
    if (fault.empty() && !question.management)
      fault = schema_fault(record.input_schema, question.input, "the input of the policy");
    return fault;
  }

  // True when the time was over first; the process is killed then.
  asio::awaitable<bool> talk(PolicyProcessPtr running, std::string request) {
    const auto done = std::make_shared<os::Event>(services.executor);
    const std::size_t max_answer = (static_cast<std::size_t>(settings.output_kb) << 10) + frame_bytes;
    auto conversation = converse(running, std::move(request), max_answer);
    asio::co_spawn(services.executor, std::move(conversation), [done](const std::exception_ptr&) { done->fire(); });
    co_await os::wait_for_event(*done, settings.timeout);
    const bool late = !done->fired();
    if (late || running->too_long) running->process->kill();
    // After the kill its end of the pipe is closed, unless somebody outside of its group still holds it.
    if (late) {
      co_await os::wait_for_event(*done, last_output);
      running->channel->close();
    }
    co_await os::wait_for_event(*done);
    co_return late;
  }

  Evaluation judge(const PolicyProcess& running, bool late, bool ended) const {
    Evaluation result;
    const std::size_t line_end = running.answer.find('\n');
    const std::string_view all = running.answer;
    const std::string_view first = all.substr(0, line_end);
    result.isolation = isolation_in(first);
    const auto fail = [&result](std::string kind, std::string message) {
      result.error_kind = std::move(kind);
      result.error = std::move(message);
      return result;
    };
    if (late) return fail("timeout", fmt::format("the policy has not answered within {} ms", settings.timeout.count()));
    if (running.too_long)
      return fail("limit", fmt::format("the policy's answer is longer than {} KiB", settings.output_kb));
    const os::ExitInfo& exit = *running.process->exit();
    if (ended && !exit.ok()) return fail_of_end(exit, std::move(result), running);
    if (line_end == all.npos || line_end + 1 == all.size())
      return fail(ended ? "crash" : "timeout",
                  "the policy's process has ended without an answer" + last_words(running));
    return read_answer(all.substr(line_end + 1), std::move(result));
  }

  static std::string last_words(const PolicyProcess& running) {
    const std::string words = to_valid_utf8(trim(tail(running.output, 300)));
    return words.empty() ? words : ": " + words;
  }

  Evaluation fail_of_end(const os::ExitInfo& exit, Evaluation result, const PolicyProcess& running) const {
    const bool by_signal = exit.kind == os::ExitInfo::Kind::signalled;
    const std::int64_t cpu = exit.user_microseconds + exit.system_microseconds;
    if (by_signal && (exit.number == SIGXCPU || (exit.number == SIGKILL && cpu >= settings.cpu_s * 1'000'000))) {
      result.error_kind = "timeout";
      result.error = fmt::format("the policy has used more than {} s of CPU time", settings.cpu_s);
    } else if (by_signal && exit.number == SIGXFSZ) {
      result.error_kind = "limit";
      result.error = fmt::format("the policy has written a file of more than {} MiB", settings.file_mb);
    } else if (by_signal && exit.number == SIGKILL) {
      result.error_kind = "limit";
      result.error = "the policy was killed, as happens when memory runs out";
    } else {
      result.error_kind = "crash";
      result.error = fmt::format("the policy's process has ended with {}{}", exit.text(), last_words(running));
    }
    return result;
  }

  static std::string isolation_in(std::string_view line) {
    try {
      const Value value = schema::read_json(line);
      const Value* isolation = value.find("isolation");
      if (isolation && isolation->kind() == schema::Kind::text) return isolation->as_text();
    } catch (const Error&) {
      // Told by the missing answer.
    }
    return "process";
  }

  static Evaluation read_answer(std::string_view line, Evaluation result) {
    try {
      const Value frame = schema::read_json(line, "answer", {.max_bytes = line.size(), .max_depth = max_answer_depth});
      if (const Value* answer = frame.find("result")) {
        result.answer = *answer;
        return result;
      }
      const Value* error = frame.find("error");
      const Value* kind = error ? error->find("kind") : nullptr;
      const Value* message = error ? error->find("message") : nullptr;
      if (kind && message && kind->kind() == schema::Kind::text && message->kind() == schema::Kind::text) {
        result.error_kind = kind->as_text();
        result.error = message->as_text();
        return result;
      }
      result.error = "the policy's answer has no result";
    } catch (const Error& error) {
      result.error = fmt::format("the policy's answer cannot be read ({})", error.what());
    }
    result.error_kind = "bad_output";
    return result;
  }
};

LocalEvaluator::LocalEvaluator(LocalServices services, const LocalSettings& settings, Registry& registry,
                               PolicyCode& code)
    : state_(std::make_shared<State>(std::move(services), settings, registry, code)) {}

LocalEvaluator::~LocalEvaluator() = default;

void LocalEvaluator::let_go() {
  if (!state_->environments.empty()) state_->give_back_all();
}

asio::awaitable<Evaluation> LocalEvaluator::evaluate(PolicyQuestion question, CancelToken cancel) {
  const std::shared_ptr<State> state = state_;
  std::optional<Evaluation> failure;
  try {
    const RuleId id = question.id;
    State::Prepared prepared = co_await state->prepare(id, cancel);
    co_await state->slots.take();
    const SlotHolder slot(state->slots);
    co_return co_await state->ask(std::move(question), std::move(prepared));
  } catch (const PolicyError& error) {
    failure = failed_evaluation(error.kind(), error.what());
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled) throw;
    failure = failed_evaluation("crash", error.what());
  }
  co_return *failure;
}

}  // namespace venvoy::governance
