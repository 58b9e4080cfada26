// Several engines, and engines that die.
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "engine.hpp"
#include "os/files.hpp"
#include "support/program.hpp"

using namespace venvoy;
using namespace venvoy::test;

namespace {

std::unique_ptr<Program> helper(const fs::path& workdir, const std::string& reference,
                                const std::string& installer = "uv") {
  const std::vector<std::string> command = {VENVOY_ENVIRONMENT_HELPER, workdir.string(), installer, "IfNotPresent",
                                            reference};
  return std::make_unique<Program>(command, test_environment());
}

}  // namespace

TEST_CASE("six processes at once on an empty store: one environment is built, all succeed") {
  const Place place;
  const PluginRepository repository(place / "repository");
  const std::string reference = repository.reference(GENERATE(as<std::string>(), "main", ""));
  std::vector<std::unique_ptr<Program>> programs;
  for (int i = 0; i < 6; ++i) programs.push_back(helper(place.path(), reference));
  int built = 0, reused = 0;
  for (const auto& program : programs) {
    const std::string line = program->receive();
    INFO(line);
    built += line.starts_with("built 1 ") ? 1 : 0;
    reused += line.starts_with("reused 1 ") && line.ends_with(" 0") ? 1 : 0;
  }
  CHECK(built == 1);
  CHECK(reused == 5);
  for (const auto& program : programs) CHECK(program->finish() == 0);
  CHECK(generations_in(place.path()).size() == 1);
  CHECK(is_clean(place.path()));
}

TEST_CASE("rounds of kill -9 at random moments of a first install: the next run always succeeds") {
  const char* const wanted = std::getenv("VENVOY_KILL_ROUNDS");
  const int rounds = wanted ? std::atoi(wanted) : 50;
  const Place place;
  const PluginRepository repository(place / "repository");
  const std::string reference = repository.reference();
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  CHECK(helper(place.path(), reference)->receive().starts_with("built 1 "));
  // Of an install that is not disturbed. The moments are spread over a little more.
  const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
  std::mt19937 random(4711);
  std::uniform_int_distribution<std::int64_t> moment(0, whole.count() * 11 / 10);
  int undisturbed = 0;
  for (int round = 0; round < rounds; ++round) {
    os::remove_tree(place / fmt::format("venvoy-{}", geteuid()));
    const auto victim = helper(place.path(), reference);
    std::this_thread::sleep_for(std::chrono::microseconds(moment(random)));
    victim->kill();
    undisturbed += generations_in(place.path()).empty() ? 0 : 1;
    const auto next = helper(place.path(), reference);
    const std::string line = next->receive();
    INFO("round " << round << ": " << line);
    CHECK((line.starts_with("built ") || line.starts_with("reused ")));
    CHECK(next->finish() == 0);
    CHECK(generations_in(place.path()).size() == 1);
  }
  CHECK(undisturbed < rounds);
  Engine engine(place.path());
  const auto ready = engine.get(reference);
  CHECK(output_of(*ready) == "hello");
  engine.store.make_work_dir();  // sweeps
  CHECK(is_clean(place.path()));
}

TEST_CASE("a file deleted from a ready environment: the next run succeeds") {
  const Place place;
  const PluginRepository repository(place / "repository");
  const std::string reference = repository.reference(repository.first);
  const char* const file =
      GENERATE("venv/bin/python", "venv/pyvenv.cfg", "venv/lib/python3.11/site-packages/test_plugin/__main__.py");
  {
    Engine engine(place.path());
    fs::remove(engine.get(reference)->lease.path() / file);
  }
  Engine engine(place.path());
  const auto ready = engine.get(reference);
  CHECK(ready->built_now);
  CHECK(engine.store.statistics().gaps == 1);
  CHECK(output_of(*ready) == "hello");
  CHECK(generations_in(place.path()).size() == 1);
}

TEST_CASE("damaged records and a damaged wheel are made again") {
  const Place place;
  const PluginRepository repository(place / "repository");
  const std::string reference = repository.reference();
  {
    Engine engine(place.path());
    engine.get(reference);
  }
  const char* const bucket = GENERATE("refs-v1", "verdict-v1", "python-v1");
  const std::string contents = GENERATE(as<std::string>(), "", "{}", "[1]", "nonsense");
  int damaged = 0;
  for (const auto& entry : fs::directory_iterator(place / fmt::format("venvoy-{}", geteuid()) / bucket)) {
    std::ofstream(entry.path()) << contents;
    ++damaged;
  }
  // The contract's verdict lies beside what the commit says about its dependencies.
  CHECK(damaged == (bucket == std::string_view("verdict-v1") ? 2 : 1));
  Engine engine(place.path());
  CHECK_FALSE(engine.get(reference)->built_now);
  Engine later(place.path());
  CHECK_FALSE(later.get(reference)->built_now);
  CHECK(later.events.text() == "environment_ready");  // nothing was asked: the record is there again
}

TEST_CASE("a wheel that lost its file is built again") {
  const Place place;
  const PluginRepository repository(place / "repository");
  Engine engine(place.path());
  const auto ready = engine.get(repository.reference());
  for (const auto& entry : fs::recursive_directory_iterator(engine.store.bucket(cache::Bucket::wheel)))
    if (entry.path().extension() == ".whl") fs::remove(entry.path());
  venv::GetContext context;
  context.refresh = true;
  CHECK(engine.get(repository.reference(), uv_settings(), context)->built_now);
}
