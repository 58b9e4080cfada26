#include "source/resolver.hpp"

#include <algorithm>
#include <fcntl.h>
#include <map>
#include <optional>
#include <set>
#include <sys/stat.h>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/sha256.hpp"
#include "os/event.hpp"
#include "os/on_pool.hpp"
#include "source/internal/credential_helper.hpp"
#include "source/internal/loop_programs.hpp"
#include "source/internal/ref_pattern.hpp"

namespace venvoy::source {
namespace {

namespace asio = boost::asio;

constexpr std::size_t max_submodules = 1000;

// What the mirror must be asked, or fetched, for.
struct Request {
  GitMirror mirror;
  std::string version;
  std::optional<CommitId> commit;  // the version, if it is a full id

  FetchRequest fetch() const {
    FetchRequest request{commit, ""};
    const bool other =
        version.starts_with("refs/") && !version.starts_with(branch_prefix) && !version.starts_with(tag_prefix);
    if (other) request.reference = version;
    return request;
  }
};

struct Found {
  ResolvedVersion version;
  CommitInfo info;
};

Found find(const Request& request) {
  ResolvedVersion version = request.mirror.resolve(request.version);
  if (!request.mirror.has_commit(version.commit))
    throw Error(ErrorCode::network, fmt::format("cannot fetch {}: the server has not sent all of commit {}",
                                                safe_url(request.mirror.url()), version.commit.text()));
  const CommitInfo info = request.mirror.commit_info(version.commit);
  return {std::move(version), info};
}

// After a fetch.
Found find_fetched(const Request& request, const CancelToken& cancel) {
  try {
    return find(request);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::network) request.mirror.discard(cancel);
    throw;
  }
}

// As find, but nothing if the mirror does not know, whatever the reason: it is fetched then, and asked again.
std::optional<Found> find_if_there(const Request& request) {
  if (!request.mirror.sound()) return std::nullopt;
  try {
    return find(request);
  } catch (const Error&) {
    return std::nullopt;
  }
}

// A fetch that is under way, and those who wait for it.
struct Flight {
  FetchRequest request;
  bool everything = false;  // once it has ended well: branches and tags are as on the server
  bool ended_well = false;
  std::optional<Error> error;
  std::vector<std::shared_ptr<os::Event>> waiting;

  bool serves(const FetchRequest& other) const {
    const bool same = request.commit == other.commit && request.reference == other.reference;
    return ended_well && (same || (everything && other.reference.empty()));
  }
  // A cancelled fetch is no failure of those who only waited for it.
  void throw_failure() const {
    if (error && error->code() != ErrorCode::cancelled) throw Error(*error);
  }
};

Error offline_error(const Request& request) {
  const std::string what = request.version.empty() ? "the default branch" : fmt::format("'{}'", request.version);
  return Error(ErrorCode::unresolvable, fmt::format("{} of {} is not in the cache, and the network must not be used",
                                                    what, safe_url(request.mirror.url())))
      .with_hint("run it once with the network allowed");
}

// A commit whose submodules are still to be looked for.
struct Parent {
  GitMirror mirror;
  CommitId commit;
  std::string url;  // as written
};

// The submodules of a work tree, with those within them.
struct Submodules {
  std::map<std::pair<std::string, CommitId>, GitMirror> mirrors;
  std::vector<std::shared_ptr<const os::FileLock>> in_use;  // so that they stay
  std::vector<Parent> unvisited;

  const GitMirror* find(const Submodule& submodule) const {
    const auto place = mirrors.find({submodule.url, submodule.commit});
    return place == mirrors.end() ? nullptr : &place->second;
  }
  void add(const Submodule& submodule, const GitMirror& mirror) {
    if (mirrors.size() == max_submodules)
      throw Error(ErrorCode::limit, fmt::format("there are more than {} submodules", max_submodules));
    mirrors.emplace(std::pair(submodule.url, submodule.commit), mirror);
    unvisited.push_back({mirror, submodule.commit, submodule.url});
  }
};

}  // namespace

struct GitSource::State {
  State(const asio::any_io_executor& executor, asio::thread_pool& threads, os::Keeper& keeper, GitSourceOptions given)
      : loop(executor), pool(threads), options(std::move(given)) {
    transport.options = options.transport;
    transport.programs = std::make_shared<LoopPrograms>(executor, keeper);
    if (options.credential_helpers)
      transport.credentials = std::make_shared<GitCredentialHelper>(executor, keeper, options.transport);
  }

  GitMirror mirror_of(const std::string& url) const {
    const std::string name = sha256_hex(normalised_url(url));
    return GitMirror(url, options.mirrors / (name + ".git"), options.locks / (name + ".lock"));
  }

  // Waits while somebody removes the mirror, and notes the use.
  asio::awaitable<std::shared_ptr<const os::FileLock>> hold(Request request, CancelToken cancel);

  Request request_for(const GitRef& ref) const {
    return {mirror_of(rewrite(ref.url, options.rewrites)), ref.version, CommitId::parse(ref.version)};
  }

  class FlightEnd;

  asio::awaitable<ResolvedGit> resolve(GitRef ref, ResolveOptions how);
  asio::awaitable<void> export_work_tree(ResolvedGit resolved, std::filesystem::path target, ResolveOptions how);
  asio::awaitable<void> add_submodules(Parent parent, Submodules& submodules, ResolveOptions how);
  asio::awaitable<std::optional<Found>> look_up(Request request, CancelToken cancel);
  asio::awaitable<void> bring(Request request, ResolveOptions how);
  asio::awaitable<void> join(std::shared_ptr<Flight> flight, CancelToken cancel);
  asio::awaitable<void> lead(Request request, ResolveOptions how);
  void warn_about_abbreviation(const GitRef& ref, const CommitId& commit);

  asio::any_io_executor loop;
  asio::thread_pool& pool;
  GitSourceOptions options;
  Transport transport;
  std::map<std::string, std::shared_ptr<Flight>> flights;  // by directory of the mirror
  std::set<std::string> warned;
};

asio::awaitable<std::shared_ptr<const os::FileLock>> GitSource::State::hold(Request request, CancelToken cancel) {
  using Lock = std::shared_ptr<const os::FileLock>;
  std::function<Lock(const CancelToken&)> work = [request, locks = options.locks](const CancelToken& token) {
    const std::filesystem::path file = locks / ("git-" + request.mirror.directory().filename().string());
    auto lock = std::make_shared<const os::FileLock>(os::FileLock::wait(file, os::LockMode::shared, token));
    ::utimensat(AT_FDCWD, file.c_str(), nullptr, 0);
    return lock;
  };
  const Lock lock = co_await os::on_pool<Lock>(pool, cancel, std::move(work));
  co_return lock;
}

asio::awaitable<std::optional<Found>> GitSource::State::look_up(Request request, CancelToken cancel) {
  using Result = std::optional<Found>;
  std::function<Result(const CancelToken&)> work = [request](const CancelToken&) { return find_if_there(request); };
  Result found = co_await os::on_pool<Result>(pool, cancel, std::move(work));
  co_return found;
}

// Waits for somebody else's fetch; a cancelled token ends only the wait.
asio::awaitable<void> GitSource::State::join(std::shared_ptr<Flight> flight, CancelToken cancel) {
  const auto event = std::make_shared<os::Event>(loop);
  flight->waiting.push_back(event);
  const auto registration =
      cancel.on_cancel([executor = loop, event] { asio::post(executor, [event] { event->fire(); }); });
  const auto quietly = asio::as_tuple(asio::use_awaitable);
  co_await event->wait(quietly);
  cancel.check();
  if (!event->fired()) throw Error(ErrorCode::cancelled, "cancelled");
}

// Takes a flight off the list and wakes those who wait for it, also when its coroutine is destroyed half-way.
class GitSource::State::FlightEnd {
 public:
  FlightEnd(State& state, std::string key, std::shared_ptr<Flight> flight)
      : state_(state), key_(std::move(key)), flight_(std::move(flight)) {}
  ~FlightEnd() {
    state_.flights.erase(key_);
    for (const auto& event : flight_->waiting) event->fire();
  }
  FlightEnd(const FlightEnd&) = delete;
  FlightEnd& operator=(const FlightEnd&) = delete;

 private:
  State& state_;
  std::string key_;
  std::shared_ptr<Flight> flight_;
};

asio::awaitable<void> GitSource::State::lead(Request request, ResolveOptions how) {
  const auto flight = std::make_shared<Flight>();
  flight->request = request.fetch();
  const std::string key = request.mirror.directory();
  flights[key] = flight;
  const FlightEnd at_end(*this, key, flight);
  std::function<FetchResult(const CancelToken&)> work = [request, carried = transport,
                                                         progress = how.progress](const CancelToken& cancel) {
    return request.mirror.fetch(request.fetch(), carried, cancel, progress);
  };
  try {
    const FetchResult result = co_await os::on_pool<FetchResult>(pool, how.cancel, std::move(work));
    flight->everything = result.contacted && !result.by_id;
    flight->ended_well = true;
  } catch (const Error& error) {
    flight->error = error;
    throw;
  }
}

asio::awaitable<void> GitSource::State::bring(Request request, ResolveOptions how) {
  const std::string key = request.mirror.directory();
  const FetchRequest wanted = request.fetch();
  while (flights.count(key) != 0) {
    const std::shared_ptr<Flight> flight = flights[key];
    co_await join(flight, how.cancel);
    if (flight->serves(wanted)) co_return;
    flight->throw_failure();
  }
  co_await lead(request, how);
}

void GitSource::State::warn_about_abbreviation(const GitRef& ref, const CommitId& commit) {
  if (!warned.insert(ref.url + "@" + ref.version).second) return;
  options.log.warning("'{}' of {} is short for {}: write the full commit id, a short one can become ambiguous",
                      ref.version, safe_url(ref.url), commit.text());
}

asio::awaitable<ResolvedGit> GitSource::State::resolve(GitRef ref, ResolveOptions how) {
  const Request request = request_for(ref);
  const std::shared_ptr<const os::FileLock> in_use = co_await hold(request, how.cancel);
  std::optional<Found> found;
  const bool mirror_will_do = request.commit || !how.refresh || !how.allow_network;
  if (mirror_will_do) found = co_await look_up(request, how.cancel);
  const bool contacted = !found;
  if (contacted && !how.allow_network) throw offline_error(request);
  if (contacted) {
    co_await bring(request, how);
    std::function<Found(const CancelToken&)> work = [request](const CancelToken& token) {
      return find_fetched(request, token);
    };
    found = co_await os::on_pool<Found>(pool, how.cancel, std::move(work));
  }
  const auto& [version, info] = *found;
  if (version.kind == VersionKind::abbreviation) warn_about_abbreviation(ref, version.commit);
  co_return ResolvedGit{
      ref.url, request.mirror.url(), ref.subdirectory, version.commit, version.kind, version.reference,
      info,    request.mirror,       contacted,        in_use};
}

// Resolves the submodules of a commit that are not there yet; their own are to be looked at next.
asio::awaitable<void> GitSource::State::add_submodules(Parent parent, Submodules& submodules, ResolveOptions how) {
  using List = std::vector<Submodule>;
  std::function<List(const CancelToken&)> work = [parent](const CancelToken&) {
    return parent.mirror.submodules(parent.commit, parent.url);
  };
  const List list = co_await os::on_pool<List>(pool, how.cancel, std::move(work));
  for (const Submodule& submodule : list) {
    if (submodules.find(submodule)) continue;
    const GitRef ref{submodule.url, submodule.commit.text(), ""};
    try {
      const ResolvedGit inner = co_await resolve(ref, how);
      submodules.add(submodule, inner.mirror);
      submodules.in_use.push_back(inner.in_use);
    } catch (Error& error) {
      error.add_frame(fmt::format("submodule '{}'", submodule.path));
      throw;
    }
  }
}

asio::awaitable<void> GitSource::State::export_work_tree(ResolvedGit resolved, std::filesystem::path target,
                                                         ResolveOptions how) {
  const auto submodules = std::make_shared<Submodules>();
  submodules->unvisited.push_back({resolved.mirror, resolved.commit, resolved.url});
  while (!submodules->unvisited.empty()) {
    Parent parent = std::move(submodules->unvisited.back());
    submodules->unvisited.pop_back();
    co_await add_submodules(std::move(parent), *submodules, how);
  }
  std::function<bool(const CancelToken&)> work = [submodules, resolved, target](const CancelToken& cancel) {
    WorkTreeOptions options_of_tree;
    options_of_tree.url = resolved.url;
    options_of_tree.submodule_mirror = [&](const Submodule& one) { return *submodules->find(one); };
    resolved.mirror.export_work_tree(resolved.commit, target, options_of_tree, cancel);
    return true;
  };
  co_await os::on_pool<bool>(pool, how.cancel, std::move(work));
}

GitSource::GitSource(const asio::any_io_executor& executor, asio::thread_pool& pool, os::Keeper& keeper,
                     GitSourceOptions options)
    : state_(std::make_shared<State>(executor, pool, keeper, std::move(options))) {}

// A cancelled coroutine that awaits something new gets Asio's exception; those who called us know ours.
asio::awaitable<ResolvedGit> GitSource::resolve(GitRef ref, ResolveOptions options) {
  const std::shared_ptr<State> state = state_;
  try {
    co_return co_await state->resolve(std::move(ref), std::move(options));
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted) throw;
  }
  throw Error(ErrorCode::cancelled, "cancelled");
}

asio::awaitable<void> GitSource::export_work_tree(ResolvedGit resolved, std::filesystem::path target,
                                                  ResolveOptions options) {
  const std::shared_ptr<State> state = state_;
  try {
    co_await state->export_work_tree(std::move(resolved), std::move(target), std::move(options));
    co_return;
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted) throw;
  }
  throw Error(ErrorCode::cancelled, "cancelled");
}

}  // namespace venvoy::source
