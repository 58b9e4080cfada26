#include "venv/internal/making.hpp"

#include <chrono>
#include <utility>
#include <variant>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "base/error.hpp"
#include "cache/lease.hpp"
#include "os/both.hpp"
#include "os/on_pool.hpp"
#include "venv/internal/builder.hpp"
#include "venv/internal/manifest.hpp"
#include "venv/internal/module_check.hpp"
#include "venv/internal/origin.hpp"
#include "venv/internal/run_installer.hpp"

namespace venvoy::venv::internal {
namespace {

namespace asio = boost::asio;
using cache::WhenReady;
using SharedLease = std::shared_ptr<cache::Lease>;

// While somebody else builds what we want. It is he who takes long.
constexpr std::chrono::milliseconds pause_between_looks{50};

asio::awaitable<OriginPtr> find_origin(const Job& job) {
  if (const auto* git = job.reference.git()) co_return co_await find_git_origin(job, *git);
  if (const auto* index = job.reference.index()) co_return co_await find_index_origin(job, *index);
  if (is_wheel_file(*job.reference.local())) co_return co_await find_wheel_origin(job, *job.reference.local());
  co_return co_await find_local_origin(job, *job.reference.local());
}

asio::awaitable<Interpreter> choose_interpreter(const Job& job, const Origin& origin) {
  InterpreterWish wish{job.settings.python_path, origin.needs, job.shown, job.logger};
  Interpreter python = co_await job.interpreters.find(std::move(wish), job.cancel);
  const auto& expected = job.settings.python_semver;
  if (expected && *expected != python.version)
    job.logger.warning("'{}' is Python {}, but pythonSemver says {}", python.program.string(), python.version,
                       *expected);
  co_return python;
}

// An interpreter that this store has not met yet is asked for what it is while the origin is found, which takes longer.
asio::awaitable<void> meet_interpreter(const Job& job) {
  if (job.look_only) co_return;
  InterpreterWish wish{job.settings.python_path, {}, job.shown, {}};
  try {
    co_await job.interpreters.find(std::move(wish), job.cancel);
  } catch (const Error&) {
    // choose_interpreter meets it, too
  }
}

asio::awaitable<OriginPtr> find_origin_and_interpreter(const Job& job) {
  OriginPtr origin = co_await os::both(find_origin(job), meet_interpreter(job));
  co_return origin;
}

// What is there, or the right to build it. No thread waits for another builder meanwhile: all threads of a pool that
// wait for others, who wait for threads in their turn, would wait for ever.
struct Slot {
  SharedLease lease;
  std::shared_ptr<cache::Building> building;
};

Slot to_slot(std::variant<cache::Lease, cache::Building> result) {
  if (auto* lease = std::get_if<cache::Lease>(&result))
    return {std::make_shared<cache::Lease>(std::move(*lease)), nullptr};
  return {nullptr, std::make_shared<cache::Building>(std::move(std::get<cache::Building>(result)))};
}

asio::awaitable<Slot> lease_or_build(const Job& job, cache::Key key) {
  using Look = std::optional<Slot>;
  const WhenReady when_ready = job.renew ? WhenReady::rebuild : WhenReady::use;
  asio::steady_timer timer(job.services.executor);
  for (int attempt = 0;; ++attempt) {
    Work<Look> look = [&](const CancelToken&) -> Look {
      auto result = job.services.store.try_lease_or_build(key, when_ready, attempt, job.cancel);
      if (!result) return std::nullopt;
      return to_slot(std::move(*result));
    };
    const Look slot = co_await os::on_pool<Look>(job.services.pool, job.cancel, std::move(look));
    if (slot) co_return *slot;
    timer.expires_after(pause_between_looks);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

// What holds only now that the environment is there.
void settle(const Job& job, const Origin& origin, const Interpreter& python) {
  const cache::Store& store = job.services.store;
  if (origin.meaning) store.write_record(cache::Bucket::refs, origin.meaning->record, origin.meaning->contents);
  if (!origin.superseded) return;
  const cache::Key old =
      environment_key(origin.superseded->inputs, origin.superseded->resolution, python, job.settings);
  const auto lease = store.lease(old);
  // Not if somebody had it built under a name of its own, such as the commit.
  if (lease && text_in(lease->details(), "reference") == job.shown) store.retire(old);
}

void require_module(const Job& job, const ReadyEnv& environment) {
  if (!job.contract.is_run_as_module()) return;
  const auto fault = module_fault(environment_in(environment.lease.path()), environment.module);
  if (!fault) return;
  throw Error(ErrorCode::install, *fault)
      .with_hint(fmt::format("the name before '@' in '{}' is that of the module to run, with '-' for '_'", job.shown));
}

ReadyEnvPtr to_ready(const Job& job, const Origin& origin, cache::Lease lease, bool built_now) {
  auto environment = std::make_shared<ReadyEnv>(ReadyEnv{std::move(lease), {}, {}, {}, {}, {}, {}, {}, {}, false});
  const nlohmann::json& manifest = environment->lease.details();
  environment->python = environment_in(environment->lease.path()) / "bin" / "python";
  environment->module = module_of(job.reference, package_name(manifest));
  environment->reference = job.shown;
  environment->source_kind = origin.kind;
  environment->version = origin.version;
  environment->built_now = built_now;
  read_manifest(manifest, *environment);
  // Built for a reference with another name before '@', perhaps.
  if (!built_now) require_module(job, *environment);
  return environment;
}

// What is known when nothing but the text of the reference is.
KnownEnv known_by_text(const Job& job) {
  KnownEnv known;
  known.reference = job.shown;
  const source::GitRef* git = job.reference.git();
  known.source_kind = git ? "git" : job.reference.index() ? "index" : "path";
  const auto commit = git ? source::CommitId::parse(git->version) : std::nullopt;
  if (commit) {
    known.version = commit->text();
    known.fate = KnownEnv::Fate::build;
    known.why = "nothing is known of this commit yet: its repository has to be fetched";
  } else {
    known.why = git ? "what it means has to be asked of the repository" : "what it means has to be asked of the index";
  }
  return known;
}

// For pool threads, where the lease may be let go of.
void note_what_is_there(const Job& job, const Origin& origin, const cache::Key& key, KnownEnv& known) {
  auto lease = job.services.store.lease(key);
  known.fate = lease ? KnownEnv::Fate::reuse : KnownEnv::Fate::build;
  if (!lease) {
    const std::string_view what = origin.kind == "git" ? "commit" : origin.kind == "index" ? "version" : "state";
    known.why = fmt::format("the store has no environment of this {} for Python {}", what, known.python_version);
    return;
  }
  known.path = lease->path();
  known.key = lease->key();
  known.generation = lease->generation();
  const std::string built = text_in(lease->details(), "built");
  known.why = built.empty() ? std::string("it is in the store") : fmt::format("it is in the store since {}", built);
  to_ready(job, origin, std::move(*lease), false);
}

}  // namespace

asio::awaitable<KnownEnv> look_up(const Job& job) {
  KnownEnv known = known_by_text(job);
  OriginPtr origin;
  try {
    OriginPtr found = co_await find_origin(job);
    origin = std::move(found);
  } catch (const Error& error) {
    // Of a server it could be had, perhaps; a folder is there or not.
    if (error.code() != ErrorCode::unresolvable || job.reference.local()) throw;
  }
  if (!origin) co_return known;
  known.version = origin->version;
  const Interpreter python = co_await choose_interpreter(job, *origin);
  known.python_version = python.version;
  const cache::Key key = environment_key(origin->inputs, origin->resolution, python, job.settings);
  Work<bool> look = [&](const CancelToken&) {
    note_what_is_there(job, *origin, key, known);
    return true;
  };
  co_await os::on_pool<bool>(job.services.pool, job.cancel, std::move(look));
  co_return known;
}

asio::awaitable<ReadyEnvPtr> make_ready(const Job& job) {
  const OriginPtr origin = co_await find_origin_and_interpreter(job);
  const Interpreter python = co_await choose_interpreter(job, *origin);
  const cache::Key key = environment_key(origin->inputs, origin->resolution, python, job.settings);
  const Slot slot = co_await lease_or_build(job, key);
  SharedLease lease = slot.lease;
  if (slot.building) lease = co_await build_environment(job, *origin, python, slot.building);
  Work<ReadyEnvPtr> finish = [&](const CancelToken&) {
    settle(job, *origin, python);
    return to_ready(job, *origin, std::move(*lease), slot.building != nullptr);
  };
  ReadyEnvPtr ready = co_await os::on_pool<ReadyEnvPtr>(job.services.pool, job.cancel, std::move(finish));
  Progress progress = progress_of(Progress::Kind::environment_ready, job.shown);
  progress.text = ready->built_now ? "built" : "reused";
  job.announce(std::move(progress));
  co_return ready;
}

}  // namespace venvoy::venv::internal
