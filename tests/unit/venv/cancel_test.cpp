// Giving up.
#include <csignal>
#include <fstream>
#include <iterator>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "engine.hpp"

using namespace venvoy;
using namespace venvoy::test;

namespace {

// Its build says that it has begun, and waits until `go` is there.
PluginProject waiting(const Place& place) {
  PluginProject project;
  project.mark = place / "mark";
  project.while_building =
      fmt::format("import time\n    while not os.path.exists('{}'): time.sleep(0.01)", (place / "go").string());
  return project;
}

void until_building(Engine& engine, const Place& place) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  boost::asio::steady_timer timer(engine.io);
  while (!fs::exists(place / "mark")) {
    if (std::chrono::steady_clock::now() > give_up) FAIL("the build has not begun\n" << engine.log->all());
    timer.expires_after(std::chrono::milliseconds(5));
    bool passed = false;
    timer.async_wait([&](auto) { passed = true; });
    engine.turn_until([&] { return passed; });
  }
}

int processes_with(const std::string& word) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "cmdline");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    count += text.find(word) != std::string::npos ? 1 : 0;
  }
  return count;
}

}  // namespace

TEST_CASE("a cancelled making ends its processes, leaves nothing, and can be asked for again") {
  const auto settings = GENERATE(uv_settings(), pip_settings());
  const Place place;
  const PluginRepository repository(place / "repository", waiting(place));
  Engine engine(place.path());
  CancelSource source;
  venv::GetContext context;
  context.cancel = source.token();
  const auto call = engine.begin(repository.reference(), settings, context);
  until_building(engine, place);
  CHECK(processes_with((place / "venvoy-").string()) > 0);
  source.cancel();
  engine.turn_until([&] { return call->ended; });
  REQUIRE(call->error);
  CHECK(call->error->code() == ErrorCode::cancelled);
  CHECK(is_clean(place.path()));
  CHECK(processes_with((place / "venvoy-").string()) == 0);
  CHECK(engine.events.text() == "resolve_started resolve_finished(ok) build_started build_finished(cancelled)");
  write_file(place / "go", "");
  CHECK(output_of(*engine.get(repository.reference(), settings)) == "hello");
}

TEST_CASE("a cancelled coroutine gives up as a cancelled token does") {
  const Place place;
  const PluginRepository repository(place / "repository", waiting(place));
  Engine engine(place.path());
  boost::asio::cancellation_signal signal;
  std::optional<Error> error;
  boost::asio::co_spawn(
      engine.io,
      engine.environments.get(source::parse_module_ref(repository.reference()), engine.contract, uv_settings(), {}),
      boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr failure, venv::ReadyEnvPtr) {
        try {
          std::rethrow_exception(failure);
        } catch (const Error& thrown) {
          error = thrown;
        }
      }));
  until_building(engine, place);
  signal.emit(boost::asio::cancellation_type::terminal);
  engine.turn_until([&] { return error.has_value(); });
  CHECK(error->code() == ErrorCode::cancelled);
  CHECK(is_clean(place.path()));
}

TEST_CASE("one who gives up does not disturb the others") {
  const Place place;
  const PluginRepository repository(place / "repository", waiting(place));
  Engine engine(place.path());
  CancelSource source;
  venv::GetContext context;
  Events of_first, of_third;
  context.cancel = source.token();
  context.progress = &of_first;
  const auto first = engine.begin(repository.reference(), uv_settings(), context);
  const auto second = engine.begin(repository.reference());
  until_building(engine, place);
  venv::GetContext late;
  late.progress = &of_third;
  const auto third = engine.begin(repository.reference(), uv_settings(), late);
  engine.turn_until([&] { return !of_third.events.empty(); });
  source.cancel();
  engine.turn_until([&] { return first->ended; });
  CHECK(first->error->code() == ErrorCode::cancelled);
  CHECK(of_first.text() == "resolve_started resolve_finished(ok) build_started build_finished(cancelled)");
  CHECK_FALSE(second->ended);
  write_file(place / "go", "");
  engine.turn_until([&] { return second->ended && third->ended; });
  REQUIRE(second->result);
  CHECK(output_of(*second->result) == "hello");
  // Who came late has heard what was under way.
  CHECK(of_third.text() == "build_started build_finished(ok) install_started install_finished(ok) environment_ready");
  CHECK(read_file(place / "mark").find("ran\n") != std::string::npos);
}

TEST_CASE("who comes while a making is being given up gets one of his own") {
  const Place place;
  const PluginRepository repository(place / "repository", waiting(place));
  Engine engine(place.path());
  CancelSource source;
  venv::GetContext context;
  context.cancel = source.token();
  const auto first = engine.begin(repository.reference(), uv_settings(), context);
  until_building(engine, place);
  source.cancel();
  engine.io.poll();
  const auto second = engine.begin(repository.reference());
  write_file(place / "go", "");
  engine.turn_until([&] { return first->ended && second->ended; });
  CHECK(first->error->code() == ErrorCode::cancelled);
  REQUIRE(second->result);
  CHECK(second->result->built_now);
}

TEST_CASE("a cancelled token starts nothing") {
  const Place place;
  const PluginRepository repository(place / "repository");
  Engine engine(place.path());
  CancelSource source;
  source.cancel();
  venv::GetContext context;
  context.cancel = source.token();
  CHECK(engine.error_of(repository.reference(), uv_settings(), context).code() == ErrorCode::cancelled);
  CHECK(engine.events.events.empty());
}

TEST_CASE("waiting for another engine's build can be given up") {
  const Place place;
  const PluginRepository repository(place / "repository", waiting(place));
  Engine builder(place.path()), other(place.path());
  const auto building = builder.begin(repository.reference());
  until_building(builder, place);
  CancelSource source;
  venv::GetContext context;
  context.cancel = source.token();
  const auto waiting_call = other.begin(repository.reference(), uv_settings(), context);
  other.turn_until([&] { return other.store.statistics().waits == 1; });
  source.cancel();
  other.turn_until([&] { return waiting_call->ended; });
  CHECK(waiting_call->error->code() == ErrorCode::cancelled);
  write_file(place / "go", "");
  builder.turn_until([&] { return building->ended; });
  CHECK(building->result);
  CHECK_FALSE(other.get(repository.reference())->built_now);
}

TEST_CASE("an engine may go in the middle of a making") {
  const Place place;
  const PluginRepository repository(place / "repository", waiting(place));
  {
    Engine engine(place.path());
    engine.begin(repository.reference());
    until_building(engine, place);
  }
  write_file(place / "go", "");
  Engine engine(place.path());
  CHECK(output_of(*engine.get(repository.reference())) == "hello");
}
