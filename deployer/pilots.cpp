#include "deployer/pilots.hpp"

#include <algorithm>
#include <csignal>
#include <deque>
#include <optional>
#include <set>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "base/error.hpp"
#include "deployer/internal/own_store.hpp"
#include "deployer/internal/pilot.hpp"
#include "os/event.hpp"
#include "os/event_waits.hpp"

namespace venvoy::deployer {

namespace asio = boost::asio;
using internal::Pilot;
using namespace std::chrono_literals;

namespace {

// Pilots that may be lost, without a step that has ended well in between, until no more are asked for.
constexpr std::size_t max_losses = 8;
// Of pilots, when they are not needed any more.
constexpr std::chrono::milliseconds patience_with_ends = 5s;

// Somebody who waits for a place.
struct Waiter {
  Waiter(const asio::any_io_executor& executor, ProgressSink* given) : called(executor), progress(given) {}
  os::Event called;
  ProgressSink* progress;  // may be null
  std::optional<Error> failure;
};

}  // namespace

namespace internal {

struct PilotPoolState : std::enable_shared_from_this<PilotPoolState> {
  PilotPoolState(const asio::any_io_executor& given_executor, os::Keeper& given_keeper,
                 std::unique_ptr<PilotSource> given_source, PilotSettings given_settings)
      : executor(given_executor),
        keeper(given_keeper),
        source(std::move(given_source)),
        settings(std::move(given_settings)) {}

  std::shared_ptr<Pilot> freest() const {
    std::shared_ptr<Pilot> best;
    for (const auto& pilot : pilots)
      if (pilot->is_serving && pilot->used < pilot->places &&
          (!best || pilot->places - pilot->used > best->places - best->used))
        best = pilot;
    return best;
  }

  std::size_t free_places() const {
    std::size_t count = 0;
    for (const auto& pilot : pilots)
      if (pilot->is_serving && pilot->used < pilot->places) count += pilot->places - pilot->used;
    return count;
  }

  // Calls as many of those who wait as there are places.
  void call_waiters() {
    std::size_t places = free_places();
    while (places > 0 && !waiters.empty()) {
      if (const auto waiter = waiters.front().lock()) {
        waiter->called.fire();
        --places;
      }
      waiters.pop_front();
    }
  }

  void fail_waiters(const Error& error) {
    for (const auto& weak : std::exchange(waiters, {}))
      if (const auto waiter = weak.lock()) {
        waiter->failure = error;
        waiter->called.fire();
      }
  }

  bool anybody_waits() const {
    return std::any_of(waiters.begin(), waiters.end(), [](const auto& waiter) { return !waiter.expired(); });
  }

  // Those whom waiters want to be told, each once.
  std::set<ProgressSink*> listeners() const {
    std::set<ProgressSink*> found;
    for (const auto& weak : waiters)
      if (const auto waiter = weak.lock(); waiter && waiter->progress) found.insert(waiter->progress);
    return found;
  }

  void tell(Progress::Kind kind, std::string text) {
    Progress progress;
    progress.kind = kind;
    progress.text = std::move(text);
    for (ProgressSink* const listener : listeners()) listener->progress(progress);
    awaited = kind == Progress::Kind::machines_awaited ? progress.text : std::string();
  }

  void tell_awaited(std::string what) { tell(Progress::Kind::machines_awaited, std::move(what)); }

  void tell_ready() {
    std::size_t nodes = 0;
    std::size_t places = 0;
    for (const auto& pilot : pilots)
      if (pilot->is_serving) {
        ++nodes;
        places += pilot->places;
      }
    tell(Progress::Kind::machines_ready,
         fmt::format("{} node{} with {} place{}", nodes, nodes == 1 ? "" : "s", places, places == 1 ? "" : "s"));
  }

  // Who comes later hears what the others were told.
  void add(const std::shared_ptr<Waiter>& waiter) {
    const auto has_same = [&](const std::weak_ptr<Waiter>& weak) {
      const auto other = weak.lock();
      return other && other->progress == waiter->progress;
    };
    // Mostly it is the last one: a loop of one run.
    if (!awaited.empty() && waiter->progress && std::none_of(waiters.rbegin(), waiters.rend(), has_same)) {
      Progress progress;
      progress.kind = Progress::Kind::machines_awaited;
      progress.text = awaited;
      waiter->progress->progress(progress);
    }
    waiters.push_back(waiter);
  }

  // Asks the source for machines, unless that is under way, and starts pilots on those that have none.
  void want_pilots() {
    if (is_asking || is_closed) return;
    is_asking = true;
    asio::co_spawn(executor, ask(shared_from_this()), asio::detached);
  }

  static asio::awaitable<void> ask(std::shared_ptr<PilotPoolState> self) {
    std::optional<Error> failure;
    try {
      PilotSource::Tell tell = [self](const std::string& what) { self->tell_awaited(what); };
      std::vector<PilotNode> nodes = co_await self->source->nodes(std::move(tell));
      for (PilotNode& node : nodes) self->start_on(std::move(node));
    } catch (const Error& error) {
      failure = error;
    }
    self->is_asking = false;
    self->has_gaps = false;
    if (!failure && self->pilots.empty() && !self->is_closed)
      failure = Error(ErrorCode::start, "there is no machine to start steps on");
    if (failure) self->fail_waiters(*failure);
  }

  void start_on(PilotNode node) {
    const bool has_one =
        std::any_of(pilots.begin(), pilots.end(), [&](const auto& pilot) { return pilot->node.name == node.name; });
    if (has_one || is_closed) return;
    tell_awaited(fmt::format("a pilot starts on node '{}'", node.name));
    try {
      auto pilot = std::make_shared<Pilot>(executor, keeper, std::move(node), settings, ++last_number);
      pilots.push_back(pilot);
      asio::co_spawn(executor, watch_pilot(pilot), asio::detached);
      asio::co_spawn(executor, follow(shared_from_this(), std::move(pilot)), asio::detached);
    } catch (const Error& error) {
      fail_waiters(error);
    }
  }

  static asio::awaitable<void> follow(std::shared_ptr<PilotPoolState> self, std::shared_ptr<Pilot> pilot) {
    asio::steady_timer timer(self->executor, self->settings.connect_timeout);
    timer.async_wait([weak = std::weak_ptr(pilot)](const boost::system::error_code& stopped) {
      const auto late = weak.lock();
      if (!stopped && late && !late->is_serving) late->carrier.kill();
    });
    co_await os::wait_for_event(pilot->settled);
    timer.cancel();
    if (pilot->is_serving) {
      self->settings.logger.info("node '{}' is ready, with {} places", pilot->name(), pilot->places);
      self->tell_ready();
      self->call_waiters();
    }
    co_await os::wait_for_event(pilot->gone);
    self->on_loss(pilot);
  }

  void on_loss(const std::shared_ptr<Pilot>& pilot) {
    std::erase(pilots, pilot);
    if (is_closed) return;
    settings.logger.warning("{}", pilot->end);
    last_loss = pilot->end;
    ++losses;
    // Where none could be started, another try would end like this one.
    has_gaps = pilot->has_served && losses <= max_losses;
    if (has_gaps && anybody_waits()) return want_pilots();
    if (pilots.empty()) fail_waiters(Error(ErrorCode::start, last_loss));
  }

  void give_back(Pilot& pilot) {
    --pilot.used;
    call_waiters();
  }

  asio::any_io_executor executor;
  os::Keeper& keeper;
  std::unique_ptr<PilotSource> source;
  PilotSettings settings;
  std::vector<std::shared_ptr<Pilot>> pilots;
  std::deque<std::weak_ptr<Waiter>> waiters;
  std::uint64_t last_number = 0;
  std::size_t losses = 0;
  std::string last_loss;
  std::string awaited;  // what those who wait have been told last; empty: that there are machines
  bool is_asking = false;
  bool has_gaps = false;  // a machine has lost its pilot
  bool is_closed = false;
};

}  // namespace internal

namespace {

// Somebody who is cancelled after he was called passes the call on.
class PassOn {
 public:
  PassOn(internal::PilotPoolState& pool, const Waiter& waiter) : pool_(&pool), waiter_(waiter) {}
  ~PassOn() {
    if (pool_ && waiter_.called.fired()) pool_->call_waiters();
  }
  PassOn(const PassOn&) = delete;
  PassOn& operator=(const PassOn&) = delete;
  void dismiss() noexcept { pool_ = nullptr; }

 private:
  internal::PilotPoolState* pool_;
  const Waiter& waiter_;
};

// What the process and the coroutine that waits for its end share.
struct Occupation {
  Occupation(const asio::any_io_executor& executor, Place given) : place(std::move(given)), ended(executor) {}
  std::optional<Place> place;  // until the process has ended
  std::string node;
  std::shared_ptr<Pilot> pilot;
  std::shared_ptr<internal::PilotPoolState> pool;
  std::unique_ptr<RunningProcess> process;
  std::filesystem::path folder;  // to be removed there
  std::optional<os::ExitInfo> exit;
  os::Event ended;
};

asio::awaitable<void> await_end(std::shared_ptr<Occupation> occupation) {
  co_await os::wait_for_event(occupation->process->ended());
  os::ExitInfo exit = occupation->process->exit().value_or(os::ExitInfo{.kind = os::ExitInfo::Kind::lost});
  Pilot& pilot = *occupation->pilot;
  // Fork servers tell of a lost keeper as of any other end of theirs.
  const bool may_be_lost = exit.kind == os::ExitInfo::Kind::lost || !exit.note.empty();
  if (may_be_lost && pilot.keeper->is_gone()) {
    co_await os::wait_for_event(pilot.gone);
    exit.kind = os::ExitInfo::Kind::lost;
    exit.note = pilot.end;
  } else if (!exit.ok()) {
    exit.note = exit.note.empty() ? fmt::format("on node '{}'", occupation->node)
                                  : fmt::format("{}; on node '{}'", exit.note, occupation->node);
  } else {
    occupation->pool->losses = 0;
  }
  if (!occupation->folder.empty() && !pilot.keeper->is_gone()) {
    std::filesystem::path folder = occupation->folder;
    co_await internal::remove_folder_there(*pilot.keeper, std::move(folder));
  }
  occupation->exit = std::move(exit);
  occupation->place.reset();
  occupation->ended.fire();
}

class PlacedProcess final : public RunningProcess {
 public:
  explicit PlacedProcess(std::shared_ptr<Occupation> occupation) : occupation_(std::move(occupation)) {}
  ~PlacedProcess() override { occupation_->process->kill(); }
  pid_t pid() const noexcept override { return occupation_->process->pid(); }
  const std::optional<os::ExitInfo>& exit() const noexcept override { return occupation_->exit; }
  os::Event& ended() noexcept override { return occupation_->ended; }
  void kill() noexcept override { occupation_->process->kill(); }
  std::string node() const override { return occupation_->node; }

 private:
  std::shared_ptr<Occupation> occupation_;
};

}  // namespace

Place::Place(std::shared_ptr<internal::PilotPoolState> pool, std::shared_ptr<Pilot> pilot)
    : pool_(std::move(pool)), pilot_(std::move(pilot)) {
  ++pilot_->used;
}

Place::~Place() {
  if (pilot_) pool_->give_back(*pilot_);
}

const std::string& Place::node() const noexcept {
  return pilot_->name();
}
os::Keeper& Place::keeper() const noexcept {
  return *pilot_->keeper;
}
Launcher& Place::plain() const noexcept {
  return *pilot_->plain;
}
std::uint64_t Place::pilot_number() const noexcept {
  return pilot_->number;
}
bool Place::is_lost() const noexcept {
  return pilot_ && pilot_->keeper->is_gone();
}
std::shared_ptr<void> Place::hold() const noexcept {
  return pilot_;
}

std::unique_ptr<RunningProcess> occupy(Place place, std::unique_ptr<RunningProcess> process,
                                       std::filesystem::path folder) {
  const std::shared_ptr<internal::PilotPoolState> pool = place.pool_;
  const std::shared_ptr<Pilot> pilot = place.pilot_;
  const auto occupation = std::make_shared<Occupation>(pool->executor, std::move(place));
  occupation->node = pilot->name();
  occupation->pilot = pilot;
  occupation->pool = pool;
  occupation->process = std::move(process);
  occupation->folder = std::move(folder);
  asio::co_spawn(pool->executor, await_end(occupation), asio::detached);
  return std::make_unique<PlacedProcess>(occupation);
}

PilotPool::PilotPool(const asio::any_io_executor& executor, os::Keeper& keeper, std::unique_ptr<PilotSource> source,
                     PilotSettings settings)
    : state_(std::make_shared<internal::PilotPoolState>(executor, keeper, std::move(source), std::move(settings))) {}

PilotPool::~PilotPool() {
  state_->is_closed = true;
}

asio::awaitable<Place> PilotPool::take_place(ProgressSink* progress) {
  const std::shared_ptr<internal::PilotPoolState> state = state_;
  while (true) {
    if (state->is_closed) throw Error(ErrorCode::cancelled, "the engine ends");
    if (std::shared_ptr<Pilot> pilot = state->freest()) co_return Place(state, std::move(pilot));
    if (state->losses > max_losses && state->pilots.empty()) throw Error(ErrorCode::start, state->last_loss);
    const auto waiter = std::make_shared<Waiter>(state->executor, progress);
    state->add(waiter);
    if (state->has_gaps || state->pilots.empty()) state->want_pilots();
    PassOn guard(*state, *waiter);
    co_await os::wait_for_event(waiter->called);
    guard.dismiss();
    if (waiter->failure) throw *waiter->failure;
  }
}

asio::awaitable<void> PilotPool::close() {
  const std::shared_ptr<internal::PilotPoolState> state = state_;
  if (std::exchange(state->is_closed, true)) co_return;
  state->fail_waiters(Error(ErrorCode::cancelled, "the engine ends"));
  const std::vector<std::shared_ptr<Pilot>> pilots = state->pilots;
  for (const auto& pilot : pilots) pilot->link.signal(SIGTERM);
  asio::steady_timer patience(state->executor, patience_with_ends);
  patience.async_wait([pilots](const boost::system::error_code& stopped) {
    if (stopped) return;
    for (const auto& pilot : pilots) {
      pilot->link.kill();
      pilot->carrier.kill();
    }
  });
  for (const auto& pilot : pilots) {
    co_await os::wait_for_event(pilot->gone);
  }
  patience.cancel();
  co_await state->source->give_back();
}

}  // namespace venvoy::deployer
