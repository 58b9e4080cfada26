#include "report/live_progress.hpp"

#include <utility>

#include "report/internal/display_width.hpp"
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

const std::string pinned =
    "venvoy-hello@git+https://example.org/a/venvoy-hello.git@1861f7c17abfb7b1f6e18ae552f0d4caa4a821b5";

struct Terminal {
  TestClock clock;
  std::string kept;
  LiveProgress progress{[this](std::string_view line) { kept += line; }, {}, clock};

  void tell(Kind kind, const std::string& what = {}, const std::string& outcome = {}, std::uint64_t done = 0,
            std::uint64_t total = 0, std::uint64_t bytes = 0) {
    progress.progress(Progress{kind, pinned, what, outcome, done, total, bytes});
  }
  void start(const std::string& step, const std::string& item = {}) {
    progress.step_started({{step, item}, "hello", {}});
  }
  void finish(const std::string& step, Outcome outcome, const std::string& error = {}, const std::string& item = {}) {
    progress.step_finished({{step, item}, outcome, "outputs", "success", {}, error});
  }
  std::string take() { return std::exchange(kept, {}); }
  std::vector<std::string> texts(std::size_t columns = 79, std::size_t rows = 23) const {
    std::vector<std::string> texts;
    for (const LiveLine& line : progress.lines(columns, rows)) {
      CHECK(line.width == internal::display_width(line.text));
      CHECK(line.width <= columns);
      texts.push_back(line.text);
    }
    CHECK(texts.size() <= rows);
    return texts;
  }
};

using Lines = std::vector<std::string>;

// Both ends of a line that fills its columns.
std::string aligned(const std::string& left, const std::string& right, std::size_t columns = 79) {
  const std::size_t cells = internal::display_width(left) + internal::display_width(right);
  REQUIRE(cells < columns);
  return left + std::string(columns - cells, ' ') + right;
}

TEST_CASE("a plugin that is made ready has one line, and says when it is ready") {
  Terminal terminal;
  terminal.tell(Kind::resolve_started);
  terminal.tell(Kind::fetch_progress, {}, {}, 50, 200, 1'500'000);
  terminal.clock.now += 1200ms;
  CHECK(terminal.texts() ==
        Lines{aligned("fetching   venvoy-hello 1861f7c", "━━━───────── 50 of 200 objects, 1.5 MB   1.2 s"),
              "1.2 s · preparing 1"});
  CHECK(terminal.texts(39) == Lines{"fetching   venvoy-hello… 50/200   1.2 s", "1.2 s · preparing 1"});
  terminal.tell(Kind::resolve_finished, "1861f7c17abfb7b1f6e18ae552f0d4caa4a821b5", "ok");
  terminal.tell(Kind::install_started);
  terminal.clock.now += 60s;
  CHECK(terminal.texts().front() == aligned("installing venvoy-hello 1861f7c", "1 m 01 s"));
  terminal.tell(Kind::install_finished, "pip", "ok");
  terminal.tell(Kind::environment_ready, "built");
  CHECK(terminal.take() == "venvoy-hello 1861f7c: ready in 1 m 01 s\n");
  CHECK(terminal.texts().size() == 1);
  // What was there already is not worth a line.
  terminal.tell(Kind::environment_ready, "reused");
  CHECK(terminal.take().empty());
}

TEST_CASE("what has failed stays on the terminal") {
  Terminal terminal;
  terminal.tell(Kind::build_started);
  terminal.clock.now += 2s;
  terminal.tell(Kind::build_finished, "no compiler", "failed");
  terminal.tell(Kind::warning, "careful\x1b[2J");
  CHECK(terminal.take() == "venvoy-hello 1861f7c: building a wheel failed after 2.0 s\nwarning: careful?[2J\n");
  terminal.progress.run_started({"workflow.yaml", "1"});
  terminal.progress.expect_steps(3);
  terminal.start("a");
  terminal.start("b");
  terminal.clock.now += 1500ms;
  terminal.finish("a", Outcome::failed, "it died\nwith more lines");
  terminal.finish("c", Outcome::cancelled);
  CHECK(terminal.take() == "step a: failed after 1.5 s: it died\n");
  CHECK(terminal.texts().back() == "1.5 s · 2 of 3 steps done · 1 failed · 1 running");
  terminal.progress.show_stopping();
  CHECK(terminal.texts().back() == "1.5 s · stopping · 2 of 3 steps done · 1 failed · 1 running");
  terminal.finish("b", Outcome::succeeded);
  terminal.progress.run_finished({Outcome::failed, "", "it died"});
  CHECK(terminal.take() == "run finished in 1.5 s: failed; steps: 1 succeeded, 1 failed, 1 cancelled\n");
  CHECK(terminal.texts().empty());
}

TEST_CASE("machines that steps wait for have a line, and are counted when they are there") {
  Terminal terminal;
  terminal.progress.run_started({"workflow.yaml", "1"});
  terminal.tell(Kind::machines_awaited, "Slurm is asked for a job");
  terminal.clock.now += 1500ms;
  terminal.tell(Kind::machines_awaited, "job 7 waits in the queue of Slurm: PENDING (Resources)");
  CHECK(terminal.texts() == Lines{aligned("waiting    job 7 waits in the queue of Slurm: PENDING (Resources)", "1.5 s"),
                                  "1.5 s · 0 steps done · 0 running"});
  terminal.tell(Kind::machines_ready, "1 node with 4 places");
  terminal.progress.step_started({{"a", {}}, "hello", {}, {}, "node1"});
  CHECK(terminal.texts() == Lines{aligned("running    a (hello on node node1)", "0.0 s"),
                                  "1.5 s · 0 steps done · 1 running · 1 node with 4 places"});
  CHECK(terminal.take().empty());
}

TEST_CASE("the time left is told as long as it can be known") {
  Terminal terminal;
  terminal.progress.run_started({"workflow.yaml", "1"});
  terminal.progress.expect_duration(10min);
  CHECK(terminal.texts().back() == "0.0 s · 0 steps done · 0 running · about 10 m left");
  terminal.clock.now += 8min + 5500ms;
  CHECK(terminal.texts().back() == "8 m 05 s · 0 steps done · 0 running · about 115 s left");
  terminal.clock.now += 2min;
  CHECK(terminal.texts().back() == "10 m 05 s · 0 steps done · 0 running");
}

TEST_CASE("a loop counts its items") {
  Terminal terminal;
  terminal.progress.run_started({"workflow.yaml", "1"});
  terminal.start("all");
  for (std::size_t index = 0; index < 3; ++index) {
    terminal.progress.item_started({{"all", ""}, index, 12});
    terminal.start("each", std::to_string(index));
  }
  terminal.finish("each", Outcome::succeeded, {}, "0");
  terminal.progress.item_finished({{"all", ""}, 0, Outcome::succeeded, {}});
  terminal.progress.item_finished({{"all", ""}, 1, Outcome::failed, "no"});
  CHECK(terminal.take() == "step all: item 1 failed: no\n");
  CHECK(terminal.texts() == Lines{aligned("running    all (hello)", "━━────────── 2 of 12 items   0.0 s"),
                                  aligned("running    each[1] (hello)", "0.0 s"),
                                  aligned("running    each[2] (hello)", "0.0 s"), "0.0 s · 0 steps done · 3 running"});
}

TEST_CASE("there are never more lines than room, and none is too wide") {
  Terminal terminal;
  terminal.progress.run_started({"workflow.yaml", "1"});
  terminal.progress.expect_steps(100);
  for (int index = 0; index < 100; ++index) terminal.start("step-的长名字-" + std::to_string(index));
  for (const std::size_t columns : {1, 2, 10, 39, 63, 64, 79, 200})
    for (const std::size_t rows : {1, 2, 3, 10, 101, 200}) terminal.texts(columns, rows);
  const Lines few = terminal.texts(39, 4);
  CHECK(few == Lines{"running    step-的长名字-0 (hel…  0.0 s", "running    step-的长名字-1 (hel…  0.0 s",
                     "… and 98 more", "0.0 s · 0 of 100 steps done · 100 runn…"});
}

TEST_CASE("a text is cut between characters") {
  using internal::cut_to_width;
  CHECK(cut_to_width("abc", 3, "…") == "abc");
  CHECK(cut_to_width("abcd", 3, "…") == "ab…");
  CHECK(cut_to_width("的长名", 4, "…") == "的…");
  CHECK(cut_to_width("e\u0301e\u0301e\u0301", 2, "…") == "e\u0301…");
  CHECK(cut_to_width("abc", 0, "…").empty());
  CHECK(internal::printable("a\u009b1m\x7f\x1b\tb") == "a?1m??\tb");
}

}  // namespace
}  // namespace venvoy::report
