#include "report/plain_progress.hpp"

#include "support/catch.hpp"

namespace venvoy::report {
namespace {

using namespace std::chrono_literals;
using Kind = Progress::Kind;
using workflow::Outcome;

class TestClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point monotonic() const override { return now; }
  WallTime wall() const override { return {}; }
  std::chrono::steady_clock::time_point now{1h};
};

const std::string commit = "1861f7c17abfb7b1f6e18ae552f0d4caa4a821b5";
const std::string pinned = "venvoy-hello@git+https://example.org/a/venvoy-hello.git@" + commit;
const std::string branch = "venvoy-hello@git+https://example.org/a/venvoy-hello.git@main";

struct Screen {
  TestClock clock;
  std::string text;
  PlainProgress progress{[this](std::string_view line) { text += line; }, clock};

  void tell(Kind kind, const std::string& reference, const std::string& what = {}, const std::string& outcome = {}) {
    Progress event{};
    event.kind = kind;
    event.reference = reference;
    event.text = what;
    event.outcome = outcome;
    progress.progress(event);
  }
  void fetch(const std::string& reference, std::uint64_t done, std::uint64_t total, std::uint64_t bytes) {
    Progress event{Kind::fetch_progress, reference, {}, {}, done, total, bytes};
    progress.progress(event);
  }
  std::string take() { return std::exchange(text, {}); }
};

TEST_CASE("a module is called by its name and the start of its version") {
  struct Row {
    std::string reference;
    std::string label;
  };
  const std::vector<Row> rows = {
      {pinned, "venvoy-hello 1861f7c"},
      {pinned + "#subdirectory=plugins/hello", "venvoy-hello 1861f7c"},
      {branch, "venvoy-hello main"},
      {"a@git+https://example.org/a.git", "a"},
      {"a@git+ssh://git@example.org/a.git", "a"},
      {"a@git+ssh://git@example.org/a.git@v1.2", "a v1.2"},
      {"a@git+file:///srv/a.git@1861f7c", "a 1861f7c"},
      {"arcaflow-plugin-x==1.4.0", "arcaflow-plugin-x 1.4.0"},
      {"arcaflow-plugin-x", "arcaflow-plugin-x"},
      {"./plugins/mine", "./plugins/mine"},
  };
  for (const Row& row : rows) CHECK(module_label(row.reference) == row.label);
}

TEST_CASE("durations are as exact as people want them") {
  CHECK(duration_text(0ms) == "0 ms");
  CHECK(duration_text(999ms) == "999 ms");
  CHECK(duration_text(1000ms) == "1.0 s");
  CHECK(duration_text(6249ms) == "6.2 s");
  CHECK(duration_text(59'999ms) == "59.9 s");
  CHECK(duration_text(60s) == "1 m 00 s");
  CHECK(duration_text(125s) == "2 m 05 s");
}

TEST_CASE("making a pinned plugin ready") {
  Screen screen;
  screen.tell(Kind::resolve_started, pinned);
  screen.fetch(pinned, 0, 7, 0);
  screen.clock.now += 200ms;
  screen.tell(Kind::resolve_finished, pinned, commit, "ok");
  CHECK(screen.take().empty());  // that was trivial

  screen.tell(Kind::build_started, pinned);
  screen.clock.now += 6200ms;
  screen.tell(Kind::build_finished, pinned, "venvoy_hello-1.0.0-py3-none-any.whl", "ok");
  screen.tell(Kind::install_started, pinned);
  screen.clock.now += 1250ms;
  screen.tell(Kind::install_finished, pinned, "uv", "ok");
  screen.tell(Kind::environment_ready, pinned, "built");
  CHECK(screen.take() ==
        "venvoy-hello 1861f7c: building a wheel\n"
        "venvoy-hello 1861f7c: built a wheel in 6.2 s\n"
        "venvoy-hello 1861f7c: installing\n"
        "venvoy-hello 1861f7c: installed with uv in 1.2 s\n"
        "venvoy-hello 1861f7c: ready in 7.6 s\n");
}

TEST_CASE("machines that steps wait for, and where a step runs") {
  Screen screen;
  screen.tell(Kind::machines_awaited, {}, "job 7 waits in the queue of Slurm: PENDING (Resources)");
  screen.tell(Kind::machines_ready, {}, "1 node with 4 places");
  screen.progress.step_started({{"a", {}}, "hello", {}, {}, "node1"});
  CHECK(screen.take() ==
        "waiting for machines: job 7 waits in the queue of Slurm: PENDING (Resources)\n"
        "machines: 1 node with 4 places\n"
        "step a: started (hello on node node1)\n");
}

TEST_CASE("a plugin that is there has one line") {
  Screen screen;
  screen.tell(Kind::environment_ready, pinned, "reused");
  CHECK(screen.take() == "venvoy-hello 1861f7c: ready (from the store)\n");
}

TEST_CASE("a branch gets the commit that it means, also when that was quick") {
  Screen screen;
  screen.tell(Kind::resolve_started, branch);
  screen.clock.now += 100ms;
  screen.tell(Kind::resolve_finished, branch, commit, "ok");
  screen.tell(Kind::environment_ready, branch, "reused");
  CHECK(screen.take() ==
        "venvoy-hello 1861f7c: resolved in 100 ms\n"
        "venvoy-hello 1861f7c: ready (from the store)\n");
}

TEST_CASE("long fetches are told every few seconds") {
  Screen screen;
  screen.tell(Kind::resolve_started, pinned);
  for (int tenth = 0; tenth < 70; ++tenth) {
    screen.fetch(pinned, static_cast<std::uint64_t>(tenth) * 10, 5000, static_cast<std::uint64_t>(tenth) * 100'000);
    screen.clock.now += 100ms;
  }
  screen.tell(Kind::resolve_finished, pinned, commit, "ok");
  CHECK(screen.take() ==
        "venvoy-hello 1861f7c: fetching, 300 of 5000 objects, 3.0 MB\n"
        "venvoy-hello 1861f7c: fetching, 600 of 5000 objects, 6.0 MB\n"
        "venvoy-hello 1861f7c: resolved in 7.0 s\n");
}

TEST_CASE("what fails or is cancelled says at what") {
  Screen screen;
  screen.tell(Kind::build_started, pinned);
  screen.clock.now += 2s;
  screen.tell(Kind::build_finished, pinned, {}, "failed");
  screen.tell(Kind::resolve_started, branch);
  screen.tell(Kind::resolve_finished, branch, {}, "cancelled");
  screen.tell(Kind::warning, pinned, "something is odd");
  CHECK(screen.take() ==
        "venvoy-hello 1861f7c: building a wheel\n"
        "venvoy-hello 1861f7c: building a wheel failed after 2.0 s\n"
        "venvoy-hello main: resolving was cancelled after 0 ms\n"
        "warning: something is odd\n");
}

TEST_CASE("a run with steps of every ending") {
  Screen screen;
  screen.progress.run_started({"workflow.yaml", "id"});
  screen.progress.step_started({{"greet", ""}, "hello", {}});
  screen.clock.now += 40ms;
  screen.progress.step_finished({{"greet", ""}, Outcome::succeeded, "outputs", "success", {}, {}});
  screen.progress.step_started({{"load", ""}, "run", {}});
  screen.clock.now += 3s;
  screen.progress.step_finished({{"load", ""}, Outcome::failed, "crashed", "error", {}, "it died\nof something"});
  screen.progress.step_finished({{"skip", ""}, Outcome::disabled, "disabled", "output", {}, {}});
  screen.progress.step_finished({{"never", ""}, Outcome::cancelled, "closed", "result", {}, {}});
  screen.progress.run_finished({Outcome::failed, "", "no output"});
  CHECK(screen.take() ==
        "running workflow.yaml\n"
        "step greet: started (hello)\n"
        "step greet: succeeded in 40 ms (success)\n"
        "step load: started (run)\n"
        "step load: failed after 3.0 s: it died\n"
        "step skip: disabled\n"
        "run finished in 3.0 s: failed\n");
}

TEST_CASE("a loop tells how far it is, and of its failures") {
  Screen screen;
  const workflow::StepName loop{"all", ""};
  const auto item = [&](std::size_t index, Outcome outcome, const std::string& error) {
    screen.progress.item_started({loop, index, 50});
    const workflow::StepName inner{"greet", std::to_string(index)};
    screen.progress.step_started({inner, "hello", {}});
    screen.clock.now += 100ms;
    screen.progress.step_finished({inner, outcome, "outputs", "success", {}, error});
    screen.progress.item_finished({loop, index, outcome, error});
  };
  screen.progress.step_started({loop, "item.yaml", {}});
  for (std::size_t index = 0; index < 50; ++index)
    item(index, index == 7 ? Outcome::failed : Outcome::succeeded, index == 7 ? "bad item" : "");
  screen.progress.step_finished({loop, Outcome::failed, "failed", "error", {}, "1 of 50 items failed"});
  CHECK(screen.take() ==
        "step all: started (item.yaml)\n"
        "step greet[7]: failed after 100 ms: bad item\n"
        "step all: item 7 failed: bad item\n"
        "step all: 30 of 50 items done\n"
        "step all: 50 of 50 items done\n"
        "step all: failed after 5.0 s: 1 of 50 items failed\n");
}

}  // namespace
}  // namespace venvoy::report
