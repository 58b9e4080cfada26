#include "report/history.hpp"

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "base/error.hpp"
#include "os/fd.hpp"
#include "report/internal/database.hpp"
#include "support/catch.hpp"
#include "support/temporary_dir.hpp"

namespace venvoy::report {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using schema::Map;
using workflow::Outcome;

HistoryWriter::Options options_for(const fs::path& folder) {
  HistoryWriter::Options options;
  options.folder = folder;
  options.version = "0";
  options.host = "here";
  options.slice = 10ms;
  return options;
}

void tell_step(workflow::RunObserver& observer, const workflow::StepName& name, const std::string& message) {
  observer.step_started({name, "hello", Map{{"name", "World"}}, 5ms, "node1"});
  observer.step_log({name, LogLevel::info, "a line"});
  observer.step_finished({name, Outcome::succeeded, "outputs", "success", Map{{"message", message}}, {}});
}

void record_run(const fs::path& folder, const std::string& id, HistoryLimits limits = {}, std::size_t bytes = 10) {
  RunRecord record(id, "workflow.yaml", system_clock());
  HistoryWriter::Options options = options_for(folder);
  options.limits = limits;
  options.on_failure = [](const std::string& text) { FAIL_CHECK(text); };
  HistoryWriter writer(record, std::move(options));
  writer.run_started({"workflow.yaml", id, Map{{"name", "World"}}});
  tell_step(writer, {"greet", {}, {}}, std::string(bytes, 'x'));
  writer.run_finished({Outcome::succeeded, "success", {}, Map{{"done", true}}});
}

unsigned mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777U;
}

TEST_CASE("a run is found again with its steps") {
  const test::TemporaryDir folder;
  const fs::path state = folder.path() / "a" / "state";
  CHECK_FALSE(History::open(state));
  record_run(state, "20260102T000000-aaaaaa");
  record_run(state, "20260103T000000-bbbbbb");
  CHECK(mode_of(state) == 0700);
  for (const auto& file : fs::directory_iterator(state)) CHECK(mode_of(file.path()) == 0600);

  const auto history = History::open(state);
  REQUIRE(history);
  const auto runs = history->list(10);
  REQUIRE(runs.size() == 2);
  CHECK(runs.front().run == "20260103T000000-bbbbbb");
  CHECK(runs.front().state() == "succeeded");
  const RunFacts facts = history->load(history->find("20260102"));
  CHECK(facts.input == R"({"name":"World"})");
  CHECK(facts.output == R"({"done":true})");
  REQUIRE(facts.steps.size() == 1);
  const StepRecord& step = facts.steps.front();
  CHECK(step.name.step == "greet");
  CHECK(step.start_time == 5ms);
  CHECK(step.node == "node1");
  CHECK(step.output == R"({"message":"xxxxxxxxxx"})");
  REQUIRE(step.first_log.size() == 1);
  CHECK(step.first_log.front().text == "a line");
  CHECK(facts.ended_steps[0] == 1);
  CHECK(history->find("latest").run == "20260103T000000-bbbbbb");
  CHECK_THROWS_AS(history->find("2026"), Error);
  CHECK_THROWS_AS(history->find("x"), Error);
}

TEST_CASE("what the process did not live to write has died") {
  const test::TemporaryDir folder;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    RunRecord record("20260102T000000-aaaaaa", "workflow.yaml", system_clock());
    HistoryWriter writer(record, options_for(folder.path()));
    writer.run_started({"workflow.yaml", "x", Map()});
    writer.step_started({{"greet", {}, {}}, "hello", Map(), {}});
    std::this_thread::sleep_for(1h);
    ::_exit(0);
  }
  std::optional<RunSummary> seen;
  std::size_t steps = 0;
  for (int wait = 0; wait < 3000 && steps == 0; ++wait) {
    std::this_thread::sleep_for(10ms);
    const auto history = History::open(folder.path());
    if (!history) continue;
    const auto runs = history->list(1);
    if (runs.empty()) continue;
    seen = runs.front();
    CHECK(seen->state() == "running");
    steps = history->load(*seen).steps.size();
  }
  CHECK(steps == 1);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  auto history = History::open(folder.path());
  REQUIRE(history);
  CHECK(history->find("latest").state() == "died");
  history->remove(history->find("latest"));
  CHECK(history->list(10).empty());
}

TEST_CASE("a running run cannot be removed") {
  const test::TemporaryDir folder;
  RunRecord record("20260102T000000-aaaaaa", "workflow.yaml", system_clock());
  HistoryWriter writer(record, options_for(folder.path()));
  std::optional<History> history;
  for (int wait = 0; wait < 3000 && (!history || history->list(1).empty()); ++wait) {
    std::this_thread::sleep_for(10ms);
    history = History::open(folder.path());
  }
  REQUIRE(history);
  CHECK_THROWS_AS(history->remove(history->find("latest")), Error);
}

TEST_CASE("several processes write at once") {
  const test::TemporaryDir folder;
  constexpr int processes = 6;
  std::vector<pid_t> children;
  for (int number = 0; number < processes; ++number) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child != 0) {
      children.push_back(child);
      continue;
    }
    std::atomic<bool> failed = false;
    for (int run = 0; run < 5; ++run) {
      RunRecord record("run-" + std::to_string(number) + "-" + std::to_string(run), "w.yaml", system_clock());
      HistoryWriter::Options options = options_for(folder.path());
      options.on_failure = [&](const std::string&) { failed = true; };
      HistoryWriter writer(record, std::move(options));
      writer.run_started({"w.yaml", "x", Map()});
      for (int step = 0; step < 20; ++step) tell_step(writer, {"s" + std::to_string(step), {}, {}}, "done");
      writer.run_finished({Outcome::succeeded, "success", {}, Map()});
    }
    ::_exit(failed ? 1 : 0);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  const auto history = History::open(folder.path());
  REQUIRE(history);
  const auto runs = history->list(100);
  CHECK(runs.size() == processes * 5);
  for (const RunSummary& run : runs) {
    CHECK(run.state() == "succeeded");
    CHECK(history->load(run).steps.size() == 20);
  }
}

TEST_CASE("old runs go, by count and by size") {
  const test::TemporaryDir folder;
  HistoryLimits limits;
  limits.runs = 5;
  for (int run = 0; run < 8; ++run) record_run(folder.path(), "run-" + std::to_string(run), limits);
  {
    const auto history = History::open(folder.path());
    REQUIRE(history);
    const auto runs = history->list(100);
    REQUIRE(runs.size() == 5);
    CHECK(runs.front().run == "run-7");
    CHECK(runs.back().run == "run-3");
  }
  limits.bytes = 300'000;
  for (int run = 10; run < 20; ++run) record_run(folder.path(), "run-" + std::to_string(run), limits, 60'000);
  const auto history = History::open(folder.path());
  const auto runs = history->list(100);
  CHECK(runs.size() < 5);
  CHECK_FALSE(runs.empty());
  CHECK(fs::file_size(folder.path() / "runs.sqlite") < 600'000);
}

TEST_CASE("a run goes on without a history that cannot be written") {
  const test::TemporaryDir folder;
  const auto try_in = [](const fs::path& state) {
    std::string told;
    RunRecord record("run", "workflow.yaml", system_clock());
    HistoryWriter::Options options = options_for(state);
    options.on_failure = [&](const std::string& text) { told += text; };
    HistoryWriter writer(record, std::move(options));
    tell_step(writer, {"greet", {}, {}}, "done");
    writer.finish();
    CHECK(record.facts().steps.size() == 1);
    return told;
  };
  { os::open_file(folder.path() / "file", O_WRONLY | O_CREAT); }
  CHECK(try_in(folder.path() / "file").find("file") != std::string::npos);
  fs::create_directory(folder.path() / "nonsense");
  {
    const os::Fd file = os::open_file(folder.path() / "nonsense" / "runs.sqlite", O_WRONLY | O_CREAT);
    const std::string nonsense(4096, 'x');
    REQUIRE(::write(file.get(), nonsense.data(), nonsense.size()) == 4096);
  }
  CHECK(try_in(folder.path() / "nonsense").find("not a database") != std::string::npos);
  CHECK_THROWS_AS(History::open(folder.path() / "nonsense"), Error);
}

TEST_CASE("a history from before nodes were kept is read, and goes on with them") {
  const test::TemporaryDir folder;
  record_run(folder.path(), "run-1");
  internal::Database(folder.path() / "runs.sqlite", internal::Database::Mode::write)
      .execute("ALTER TABLE steps DROP COLUMN node");
  const auto node_of = [&](const char* run) {
    const auto history = History::open(folder.path());
    REQUIRE(history);
    const RunFacts facts = history->load(history->find(run));
    REQUIRE(facts.steps.size() == 1);
    return facts.steps.front().node;
  };
  CHECK(node_of("run-1").empty());
  record_run(folder.path(), "run-2");
  CHECK(node_of("run-1").empty());
  CHECK(node_of("run-2") == "node1");
}

TEST_CASE("a history of a newer form is left alone") {
  const test::TemporaryDir folder;
  record_run(folder.path(), "run-1");
  // `user_version` stands in the header, at byte 60; the log of writes has been merged when the last writer ended.
  {
    const os::Fd file = os::open_file(folder.path() / "runs.sqlite", O_RDWR);
    const unsigned char newer[] = {0, 0, 0, 99};
    REQUIRE(::pwrite(file.get(), newer, sizeof newer, 60) == 4);
  }
  CHECK_THROWS_AS(History::open(folder.path()), Error);
}

}  // namespace
}  // namespace venvoy::report
