#include "deployer/pilot_sources.hpp"

#include <algorithm>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "base/cancel.hpp"
#include "base/error.hpp"
#include "base/shell_text.hpp"
#include "deployer/internal/stderr_reader.hpp"
#include "os/child.hpp"
#include "os/environment.hpp"
#include "os/event.hpp"
#include "os/event_waits.hpp"
#include "os/fd.hpp"
#include "os/run_program.hpp"

namespace venvoy::deployer {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kept_salloc_words = std::size_t{4} << 10;
// Between two questions about a job that waits. None is asked about one that runs.
constexpr std::chrono::milliseconds queue_pause = 10s;
constexpr std::chrono::milliseconds first_queue_pause = 1s;
constexpr std::chrono::milliseconds patience_with_commands = 60s;
// For salloc, to give a job back.
constexpr std::chrono::milliseconds patience_with_end = 10s;

std::string keeper_of(const RemoteSettings& settings, const std::filesystem::path& keeper_here) {
  return settings.keeper.value_or(keeper_here.string());
}

// --- ssh -------------------------------------------------------------------------------------------------------------

class SshSource final : public PilotSource {
 public:
  SshSource(const SshSettings& settings, const std::filesystem::path& keeper_here) {
    for (const std::string& host : settings.hosts) {
      PilotNode node{host, {"ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=30", "-T"}};
      node.command.insert(node.command.end(), settings.extra_arguments.begin(), settings.extra_arguments.end());
      for (const std::string& word : {std::string("--"), host, std::string("exec"),
                                      shell_quoted(keeper_of(settings, keeper_here)), std::string("--stdio")})
        node.command.push_back(word);
      nodes_.push_back(std::move(node));
    }
  }

  asio::awaitable<std::vector<PilotNode>> nodes(Tell) override { co_return nodes_; }
  asio::awaitable<void> give_back() override { co_return; }

 private:
  std::vector<PilotNode> nodes_;
};

// --- Slurm -----------------------------------------------------------------------------------------------------------

// A job that salloc has asked for. It has what is between the two: a shell that tells the job's number and its nodes,
// a line each, then an empty line, and waits until its input ends.
struct Allocation {
  explicit Allocation(const asio::any_io_executor& executor) : granted(executor) {}

  os::Child salloc;
  os::Fd input;
  std::unique_ptr<internal::StderrReader> output, errors;
  os::Event granted;  // or refused
  bool is_granted = false;
  std::string job;  // known as soon as salloc has told it
  std::vector<std::string> lines;

  void take_line(std::string_view line) {
    if (granted.fired()) return;
    if (!line.empty()) return lines.emplace_back(line), void();
    if (lines.size() >= 2) {
      job = lines.front();
      is_granted = true;
    }
    granted.fire();
  }

  // "salloc: Pending job allocation 12", "salloc: job 12 queued and waiting for resources"
  void take_words(std::string_view line) {
    constexpr std::string_view before = "job allocation ";
    const std::size_t at = line.find(before);
    if (!job.empty() || at == line.npos) return;
    const std::string_view rest = line.substr(at + before.size());
    job = rest.substr(0, rest.find_first_not_of("0123456789"));
  }
};

constexpr std::string_view hold_script =
    R"(echo "$SLURM_JOB_ID"; scontrol show hostnames "$SLURM_JOB_NODELIST"; echo; exec cat >/dev/null)";

// What a pilot that has lost its head does, last of all, where the job ($1) has other pilots: it may be that only the
// way to this one is broken, so the job is given back by whom no other pilot is left beside. Of several that have lost
// their head together, the one that was started first waits for the others to go.
constexpr std::string_view give_back_if_last = R"(for pause in 0 .3 .5 1 1 2 2 2; do
  sleep $pause
  steps=$(squeue --noheader --steps --jobs="$1" --format=%i) || continue
  alone=yes
  for step in $steps; do
    step=${step#*.}
    case $step in "$SLURM_STEP_ID" | *[!0-9]*) continue ;; esac
    [ "$step" -gt "$SLURM_STEP_ID" ] || exit 1
    alone=no
  done
  [ $alone = no ] || exec scancel "$1"
done
exit 1)";

class SlurmSource final : public PilotSource {
 public:
  SlurmSource(const asio::any_io_executor& executor, os::Keeper& keeper, SlurmSettings settings,
              const std::filesystem::path& keeper_here, Logger logger)
      : executor_(executor),
        keeper_(keeper),
        settings_(std::move(settings)),
        keeper_there_(keeper_of(settings_, keeper_here)),
        environment_(os::current_environment()),
        logger_(std::move(logger)) {}

  asio::awaitable<std::vector<PilotNode>> nodes(Tell tell) override {
    const auto own_job = os::get_variable(environment_, "SLURM_JOB_ID");
    if (own_job) co_return co_await nodes_of_own_job(*own_job);
    if (allocation_) {
      // Asked again: a node or a pilot has gone, and perhaps the job with it, which salloc does not always notice.
      const bool runs = co_await job_runs();
      if (runs) co_return nodes_of_allocation();
      co_await give_back();
    }
    tell("Slurm is asked for a job");
    ask_for_job(std::move(tell));
    co_await wait_for_job();
    co_return nodes_of_allocation();
  }

  asio::awaitable<void> give_back() override {
    if (!allocation_) co_return;
    const std::shared_ptr<Allocation> allocation = std::exchange(allocation_, nullptr);
    allocation->input.reset();
    if (!allocation->is_granted) allocation->salloc.signal(SIGTERM);
    asio::steady_timer patience(executor_, patience_with_end);
    patience.async_wait([allocation](const boost::system::error_code& stopped) {
      if (!stopped) allocation->salloc.kill();
    });
    co_await os::wait_for_event(allocation->salloc.ended());
    patience.cancel();
    co_await os::wait_for_event(allocation->errors->ended(), patience_with_end);
    const std::string words = allocation->errors->tail();
    if (const std::size_t at = words.find("Unable to clean up job"); at != words.npos)
      logger_.warning("job {} of Slurm could not be given back ({}); `scancel {}` does so", allocation->job,
                      words.substr(at, words.find('\n', at) - at), allocation->job);
  }

 private:
  asio::awaitable<std::vector<PilotNode>> nodes_of_own_job(std::string job) {
    std::vector<std::string> question = {"show", "hostnames",
                                         os::get_variable(environment_, "SLURM_JOB_NODELIST").value_or("")};
    os::ProgramSpec spec = command("scontrol", std::move(question));
    const os::ProgramResult result = co_await run_command(keeper_, std::move(spec));
    if (!result.exit.ok())
      throw Error(ErrorCode::start, fmt::format("the nodes of job {} cannot be learnt: {}", job, result.error_tail));
    std::vector<PilotNode> nodes;
    std::string_view text = result.output;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      if (end != 0) nodes.push_back(node_of(job, std::string(text.substr(0, end)), true));
      text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
    co_return nodes;
  }

  std::vector<PilotNode> nodes_of_allocation() const {
    std::vector<PilotNode> nodes;
    for (std::size_t i = 1; i < allocation_->lines.size(); ++i)
      nodes.push_back(node_of(allocation_->job, allocation_->lines[i], false));
    return nodes;
  }

  // One task, whose standard input and output srun carries. In somebody else's job it shares what others use there. In
  // ours the pilot gives the job back when it has lost its head, which can do so no more.
  PilotNode node_of(const std::string& job, const std::string& name, bool is_shared) const {
    PilotNode node{name,
                   {"srun", "--jobid=" + job, "--nodes=1", "--ntasks=1", "--nodelist=" + name, "--quiet",
                    "--job-name=venvoy-pilot", "--export=ALL"}};
    if (is_shared) node.command.push_back("--overlap");
    node.command.push_back(keeper_there_);
    node.command.push_back("--stdio");
    if (is_shared) return node;
    std::vector<std::string> last = {"scancel", job};
    if (settings_.nodes > 1) last = {"/bin/sh", "-c", std::string(give_back_if_last), "sh", job};
    node.command.insert(node.command.end(), last.begin(), last.end());
    return node;
  }

  std::filesystem::path program(const char* name) const {
    auto path = os::find_program(name, environment_);
    if (!path)
      throw Error(ErrorCode::start, fmt::format("the program '{}' is not in PATH", name))
          .with_hint("`launcher: slurm` needs the client commands of Slurm (Debian: slurm-client)");
    return std::move(*path);
  }

  void ask_for_job(Tell tell) {
    const auto allocation = std::make_shared<Allocation>(executor_);
    os::Pipe input = os::make_pipe();
    os::Pipe output = os::make_pipe();
    os::Pipe errors = os::make_pipe();
    os::ChildSpec spec;
    spec.program = program("salloc");
    spec.arguments = {"--job-name=venvoy", fmt::format("--nodes={}", settings_.nodes),
                      fmt::format("--ntasks={}", settings_.nodes), "--ntasks-per-node=1", "--no-bell"};
    // Without it the others would go with one that fails.
    if (settings_.nodes > 1) spec.arguments.emplace_back("--no-kill");
    for (const auto& [option, value] : settings_.options)
      spec.arguments.push_back(fmt::format("--{}={}", option, value));
    spec.arguments.insert(spec.arguments.end(), settings_.extra_arguments.begin(), settings_.extra_arguments.end());
    for (const char* word : {"/bin/sh", "-c"}) spec.arguments.emplace_back(word);
    spec.arguments.emplace_back(hold_script);
    spec.environment = environment_;
    spec.working_directory = "/";
    spec.standard_input = std::move(input.read_end);
    spec.standard_output = std::move(output.write_end);
    spec.standard_error = std::move(errors.write_end);
    allocation->salloc = keeper_.start(std::move(spec));
    allocation->input = std::move(input.write_end);
    const std::weak_ptr<Allocation> weak = allocation;
    allocation->output = std::make_unique<internal::StderrReader>(
        executor_, std::move(output.read_end), kept_salloc_words, nullptr, [weak](std::string_view line) {
          if (const auto alive = weak.lock()) alive->take_line(line);
        });
    allocation->errors =
        std::make_unique<internal::StderrReader>(executor_, std::move(errors.read_end), kept_salloc_words, nullptr,
                                                 [weak, logger = logger_](std::string_view line) {
                                                   logger.debug("{}", line);
                                                   if (const auto alive = weak.lock()) alive->take_words(line);
                                                 });
    allocation_ = allocation;
    asio::co_spawn(executor_, tell_end(allocation), asio::detached);
    asio::co_spawn(executor_, tell_queue(keeper_, allocation, command("squeue", {}), std::move(tell), logger_),
                   asio::detached);
  }

  // One of Slurm's, which asks the controller.
  os::ProgramSpec command(const char* name, std::vector<std::string> arguments) const {
    os::ProgramSpec spec;
    spec.program = program(name);
    spec.arguments = std::move(arguments);
    spec.environment = environment_;
    spec.working_directory = "/";
    return spec;
  }

  static asio::awaitable<os::ProgramResult> run_command(os::Keeper& keeper, os::ProgramSpec spec) {
    os::ProgramLimits limits;
    limits.timeout = patience_with_commands;
    CancelToken cancel;
    co_return co_await os::run_program(keeper, std::move(spec), limits, cancel);
  }

  asio::awaitable<bool> job_runs() {
    if (allocation_->salloc.exit()) co_return false;
    std::vector<std::string> question = {"--noheader", "--jobs=" + allocation_->job, "--states=RUNNING", "--format=%T"};
    os::ProgramSpec spec = command("squeue", std::move(question));
    const os::ProgramResult result = co_await run_command(keeper_, std::move(spec));
    // Of a job that has been gone for long it says that there never was one.
    co_return result.exit.ok() && !result.output.empty();
  }

  static asio::awaitable<void> tell_end(std::shared_ptr<Allocation> allocation) {
    co_await os::wait_for_event(allocation->salloc.ended());
    co_await os::wait_for_event(allocation->errors->ended());
    allocation->granted.fire();
  }

  // Says why the job waits, whenever that has changed, as long as it does.
  static asio::awaitable<void> tell_queue(os::Keeper& keeper, std::shared_ptr<Allocation> allocation,
                                          os::ProgramSpec squeue, Tell tell, Logger logger) {
    std::string told;
    std::chrono::milliseconds pause = first_queue_pause;
    while (!allocation->granted.fired()) {
      co_await os::wait_for_event(allocation->granted, pause);
      pause = queue_pause;
      if (allocation->granted.fired() || allocation->job.empty()) continue;
      os::ProgramSpec spec = squeue;
      spec.arguments = queue_question(allocation->job);
      try {
        os::ProgramResult result = co_await run_command(keeper, std::move(spec));
        while (!result.output.empty() && result.output.back() == '\n') result.output.pop_back();
        if (!allocation->granted.fired() && result.exit.ok() && !result.output.empty() && told != result.output) {
          told = result.output;
          tell(fmt::format("job {} waits in the queue of Slurm: {}", allocation->job, told));
        }
      } catch (const Error& error) {
        logger.debug("{}", error.what());
      }
    }
  }

  static std::vector<std::string> queue_question(const std::string& job) {
    return {"--noheader", "--jobs=" + job, "--format=%T (%r)"};
  }

  asio::awaitable<void> wait_for_job() {
    const std::shared_ptr<Allocation> allocation = allocation_;
    co_await os::wait_for_event(allocation->granted);
    if (allocation->is_granted) {
      logger_.info("job {} of Slurm runs", allocation->job);
      co_return;
    }
    std::string words = allocation->errors->tail();
    while (!words.empty() && words.back() == '\n') words.pop_back();
    std::string how = allocation->salloc.exit() ? allocation->salloc.exit()->text() : std::string("no answer");
    allocation_.reset();
    throw Error(ErrorCode::start, fmt::format("Slurm has given no job ({}): {}", how, words));
  }

  asio::any_io_executor executor_;
  os::Keeper& keeper_;
  SlurmSettings settings_;
  std::string keeper_there_;
  os::Environment environment_;
  Logger logger_;
  std::shared_ptr<Allocation> allocation_;
};

}  // namespace

std::unique_ptr<PilotSource> make_ssh_source(const SshSettings& settings, const std::filesystem::path& keeper_here) {
  if (settings.hosts.empty())
    throw Error(ErrorCode::document, "the launcher 'ssh' needs hosts")
        .with_hint("name them in the configuration of the Python deployer: `ssh: {hosts: [node1, node2]}`");
  return std::make_unique<SshSource>(settings, keeper_here);
}

std::unique_ptr<PilotSource> make_slurm_source(const asio::any_io_executor& executor, os::Keeper& keeper,
                                               SlurmSettings settings, const std::filesystem::path& keeper_here,
                                               Logger logger) {
  return std::make_unique<SlurmSource>(executor, keeper, std::move(settings), keeper_here, std::move(logger));
}

std::shared_ptr<PilotPool> make_pilot_pool(const asio::any_io_executor& executor, os::Keeper& keeper,
                                           const PythonSettings& settings, std::uint64_t child_file_limit,
                                           Logger logger) {
  const RemoteSettings& there = *remote_settings(settings);
  PilotSettings pilot;
  pilot.link = os::find_keeper_program();
  pilot.starter = script_there(there, os::find_support_file("plugin_starter.py"));
  pilot.places = there.places;
  pilot.child_file_limit = child_file_limit;
  pilot.logger = logger;
  auto source = settings.launcher == LauncherChoice::ssh
                    ? make_ssh_source(settings.ssh, pilot.link)
                    : make_slurm_source(executor, keeper, settings.slurm, pilot.link, std::move(logger));
  return std::make_shared<PilotPool>(executor, keeper, std::move(source), std::move(pilot));
}

}  // namespace venvoy::deployer
