// A git reference becomes a commit with a verdict. Three records make that a matter of three small files:
//
//   refs-v1/<url, version>.json                                {"commit", "kind", "at", "from"}
//   verdict-v1/<contract, url, commit, subdirectory>.json      see contract/verdict.hpp
//   verdict-v1/<url, commit, subdirectory>.json                {"time", "lock", "sha256", "python", "python_in"}: for
//                                                              the choice of dependencies and interpreter
//
// The mirror is needed only where one of them is missing, and to build.
#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/sha256.hpp"
#include "os/on_pool.hpp"
#include "source/git_url.hpp"
#include "venv/internal/origin.hpp"
#include "venv/internal/pyproject.hpp"
#include "venv/lock_file.hpp"

namespace venvoy::venv::internal {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using cache::Bucket;
using source::CommitId;
using source::ResolvedGit;
using Kind = Progress::Kind;

// A URL for keys: they are kept in clear, so what must not be read is hashed.
cache::KeyInputs url_inputs(const std::string& url) {
  const std::string normalised = source::normalised_url(url);
  const std::string safe = source::safe_url(normalised);
  cache::KeyInputs inputs = {{"url", safe}};
  if (safe != normalised) inputs.emplace_back("url-sha256", sha256_hex(normalised));
  return inputs;
}

// "branch 'main' of https://…", "the default branch of https://…"
std::string describe(const std::string& kind, const source::GitRef& reference) {
  const std::string url = source::safe_url(reference.url);
  if (reference.version.empty()) return "the default branch of " + url;
  return fmt::format("{} '{}' of {}", kind, reference.version, url);
}

// What a version means, from the store or from the server.
struct Answer {
  std::string commit;
  std::string kind;
  std::string at;
  std::string record;  // name of the record
  bool from_record = false;
  std::string before;  // the commit that the record had, if the server says another one
  std::optional<ResolvedGit> resolved;
};

class GitOrigin final : public Origin {
 public:
  GitOrigin(source::GitRef reference, CommitId commit) : reference_(std::move(reference)), commit_(std::move(commit)) {
    kind = "git";
    version = commit_.text();
    inputs = inputs_of(version);
    facts["url"] = source::safe_url(reference_.url);
    facts["commit"] = version;
    if (!reference_.subdirectory.empty()) facts["subdirectory"] = reference_.subdirectory;
  }

  asio::awaitable<Project> export_project(const Job& job, fs::path target) const override;
  cache::KeyInputs inputs_of(const std::string& commit) const;
  asio::awaitable<contract::Verdict> verdict(const Job& job);
  // After the verdict: how dependencies are chosen, for this commit and the one before.
  asio::awaitable<void> choose_resolution(const Job& job);
  asio::awaitable<std::string> lock_text(const Job& job) const override;
  void take(ResolvedGit resolved) { resolved_ = std::move(resolved); }
  void note_meaning(const Job& job, const Answer& answer);

 private:
  asio::awaitable<ResolvedGit> bring(const Job& job, Stage* stage = nullptr) const;
  // Makes sure that resolved_ is there.
  asio::awaitable<void> resolve(const Job& job);

  source::GitRef reference_;
  CommitId commit_;
  std::optional<ResolvedGit> resolved_;
};

// What has been told of a fetch.
struct Told {
  unsigned part = ~0u;  // in hundredths of the objects
  std::uint64_t bytes = 0;
};

// Objects may be large: then there is news before the next hundredth.
constexpr std::uint64_t told_bytes = 1u << 20;

source::FetchProgressSink fetch_progress(const Job& job) {
  // Called on a pool thread, often.
  const auto told = std::make_shared<Told>();
  return [told, announce = job.announce, shown = job.shown,
          loop = job.services.executor](const source::FetchProgress& now) {
    const unsigned part = now.total_objects ? now.received_objects * 100ull / now.total_objects : 0;
    const bool is_end = now.total_objects > 0 && now.received_objects == now.total_objects;
    const bool has_grown = now.received_bytes >= told->bytes + told_bytes;
    if (part == told->part && !has_grown && (!is_end || now.received_bytes == told->bytes)) return;
    *told = {part, now.received_bytes};
    Progress progress = progress_of(Kind::fetch_progress, shown);
    progress.done = now.received_objects;
    progress.total = now.total_objects;
    progress.bytes = now.received_bytes;
    asio::post(loop, [announce, progress] { announce(progress); });
  };
}

source::ResolveOptions resolve_options(const Job& job, bool refresh) {
  source::ResolveOptions options;
  options.allow_network = !job.settings.offline && !job.look_only;
  options.refresh = refresh;
  options.cancel = job.cancel;
  options.progress = fetch_progress(job);
  return options;
}

Answer read_record(const Job& job, const std::string& name) {
  Answer answer;
  answer.record = name;
  const auto record = read_json_record(job.services.store, Bucket::refs, name);
  const auto commit = CommitId::parse(text_in(record, "commit"));
  if (!commit) return answer;
  answer.commit = commit->text();
  answer.kind = text_in(record, "kind");
  answer.at = text_in(record, "at");
  answer.from_record = true;
  return answer;
}

void tell_of_record(const Job& job, const source::GitRef& reference, const Answer& answer) {
  if (answer.kind == source::to_text(source::VersionKind::abbreviation))
    return job.logger.warning("'{}' of {} is short for {}: write the full commit id, a short one can become ambiguous",
                              reference.version, source::safe_url(reference.url), answer.commit);
  job.logger.info("{} means commit {} since {}; modulePullPolicy Always or `venvoy cache pull` looks again",
                  describe(answer.kind, reference), answer.commit, answer.at);
}

// Asks the server what the version means now.
asio::awaitable<Answer> ask_server(const Job& job, source::GitRef reference, Answer known, Stage& stage) {
  const source::ResolveOptions options = resolve_options(job, true);
  ResolvedGit resolved = co_await job.services.git.resolve(reference, options);
  Answer answer;
  answer.commit = resolved.commit.text();
  answer.kind = source::to_text(resolved.kind);
  answer.at = time_text(job.services.clock->wall());
  answer.record = known.record;
  if (known.from_record && known.commit != answer.commit) answer.before = known.commit;
  job.logger.info("{} is commit {}", describe(answer.kind, reference), answer.commit);
  stage.done(answer.commit);
  answer.resolved = std::move(resolved);
  co_return answer;
}

asio::awaitable<Answer> meaning_of(const Job& job, source::GitRef reference) {
  if (const auto written = CommitId::parse(reference.version)) {
    Answer answer;
    answer.commit = written->text();
    co_return answer;
  }
  cache::KeyInputs name = url_inputs(reference.url);
  name.emplace_back("version", reference.version);
  Work<Answer> read = [&job, record = name_of(name) + ".json"](const CancelToken&) { return read_record(job, record); };
  Answer known = co_await os::on_pool<Answer>(job.services.pool, job.cancel, std::move(read));
  if (known.from_record && !job.renew) {
    tell_of_record(job, reference, known);
    co_return known;
  }
  // The mirror may be older than what the server would say.
  if (job.look_only && !job.settings.offline)
    throw Error(ErrorCode::unresolvable, fmt::format("nobody has been asked what {} means", job.shown));
  std::function<asio::awaitable<Answer>(Stage&)> ask = [&](Stage& stage) {
    return ask_server(job, reference, known, stage);
  };
  Answer asked = co_await in_stage<Answer>(job, Kind::resolve_started, Kind::resolve_finished, ask);
  co_return asked;
}

cache::KeyInputs GitOrigin::inputs_of(const std::string& commit) const {
  cache::KeyInputs result = {{"kind", "git"}};
  for (auto& input : url_inputs(reference_.url)) result.push_back(std::move(input));
  result.emplace_back("commit", commit);
  result.emplace_back("subdirectory", reference_.subdirectory);
  return result;
}

void GitOrigin::note_meaning(const Job& job, const Answer& answer) {
  if (!answer.before.empty()) superseded = Former{inputs_of(answer.before), {}};
  // Without the network it may be older than what the server says now.
  if (!answer.resolved || job.settings.offline) return;
  const nlohmann::json record = {{"commit", answer.commit},
                                 {"kind", answer.kind},
                                 {"at", answer.at},
                                 {"from", source::safe_url(answer.resolved->fetched_url)}};
  meaning = Meaning{answer.record, to_text(record)};
}

// The record of what a commit says about its dependencies and its Python.
std::string facts_record(cache::KeyInputs commit) {
  commit.emplace_back("facts", "dependencies");
  return name_of(commit) + ".json";
}

struct CommitFacts {
  SourceFacts source;
  PythonRequirement needs;
};

std::optional<CommitFacts> read_facts(const Job& job, const std::string& record) {
  const nlohmann::json facts = read_json_record(job.services.store, Bucket::verdict, record);
  if (!facts.is_object() || !facts.contains("time") || !facts["time"].is_number_integer()) return std::nullopt;
  if (!facts.contains("python")) return std::nullopt;  // written by an engine that did not look for it
  return CommitFacts{{facts["time"].get<std::int64_t>(), text_in(facts, "lock"), text_in(facts, "sha256")},
                     {text_in(facts, "python"), text_in(facts, "python_in")}};
}

std::string to_record(const CommitFacts& facts) {
  return to_text({{"time", *facts.source.time},
                  {"lock", facts.source.lock},
                  {"sha256", facts.source.lock_sha256},
                  {"python", facts.needs.text},
                  {"python_in", facts.needs.place}});
}

std::string path_in(const source::GitRef& reference, std::string_view file) {
  return reference.subdirectory.empty() ? std::string(file) : fmt::format("{}/{}", reference.subdirectory, file);
}

// The first lock file that pins something. One that cannot be read is passed over.
SourceFacts look_for_lock(const Job& job, const ResolvedGit& resolved, const source::GitRef& reference) {
  SourceFacts facts;
  facts.time = std::max(resolved.info.author_time, resolved.info.committer_time);
  for (const std::string_view name : lock_file_names) {
    try {
      const auto text = resolved.mirror.read_file(resolved.commit, path_in(reference, name), max_lock_bytes);
      if (!text || !read_lock(name, *text)) continue;
      facts.lock = name;
      facts.lock_sha256 = sha256_hex(*text);
      break;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::document && error.code() != ErrorCode::limit) throw;
      job.logger.warning("{}: its lock file is passed over: {}", job.shown, error.what());
    }
  }
  return facts;
}

// What stands in the files that say which Python a project needs. One that cannot be read says nothing.
PythonRequirement look_for_python(const ResolvedGit& resolved, const source::GitRef& reference) {
  const auto text_of = [&](std::string_view file) -> std::string {
    try {
      return resolved.mirror.read_file(resolved.commit, path_in(reference, file), max_project_file).value_or("");
    } catch (const Error& error) {
      if (error.code() != ErrorCode::limit) throw;
      return {};
    }
  };
  return python_requirement(text_of("pyproject.toml"), text_of("setup.cfg"));
}

// How the former commit's dependencies were chosen, if that is known: its environment may go then.
void plan_former(const Job& job, Origin& origin) {
  const auto facts = read_facts(job, facts_record(origin.superseded->inputs));
  try {
    if (facts) origin.superseded->resolution = plan_resolution(job.settings.dependency_resolution, facts->source, {});
  } catch (const Error&) {
    origin.superseded.reset();  // it has no lock file, where only those count: there is no such environment
  }
}

asio::awaitable<void> GitOrigin::choose_resolution(const Job& job) {
  const DependencyResolution setting = job.settings.dependency_resolution;
  const std::string record = facts_record(inputs);
  using Known = std::optional<CommitFacts>;
  Work<Known> read = [&](const CancelToken&) {
    if (superseded) plan_former(job, *this);
    return read_facts(job, record);
  };
  Known known = co_await os::on_pool<Known>(job.services.pool, job.cancel, std::move(read));
  if (!known) {
    co_await resolve(job);
    Work<Known> look = [&](const CancelToken&) -> Known {
      CommitFacts found{look_for_lock(job, *resolved_, reference_), look_for_python(*resolved_, reference_)};
      job.services.store.write_record(Bucket::verdict, record, to_record(found));
      return found;
    };
    known = co_await os::on_pool<Known>(job.services.pool, job.cancel, std::move(look));
  }
  resolution = plan_resolution(setting, known->source, job.shown);
  needs = known->needs;
}

asio::awaitable<std::string> GitOrigin::lock_text(const Job& job) const {
  const ResolvedGit resolved = co_await bring(job);
  Work<std::string> read = [&](const CancelToken&) {
    return resolved.mirror.read_file(resolved.commit, path_in(reference_, resolution.facts.lock), max_lock_bytes)
        .value_or("");
  };
  std::string text = co_await os::on_pool<std::string>(job.services.pool, job.cancel, std::move(read));
  co_return text;
}

asio::awaitable<void> GitOrigin::resolve(const Job& job) {
  if (resolved_) co_return;
  std::function<asio::awaitable<ResolvedGit>(Stage&)> work = [&](Stage& stage) { return bring(job, &stage); };
  ResolvedGit brought = co_await in_stage<ResolvedGit>(job, Kind::resolve_started, Kind::resolve_finished, work);
  resolved_ = std::move(brought);
}

// Ends the stage, if there is one, well.
asio::awaitable<ResolvedGit> GitOrigin::bring(const Job& job, Stage* stage) const {
  if (resolved_) co_return *resolved_;
  const source::GitRef pinned{reference_.url, commit_.text(), reference_.subdirectory};
  const source::ResolveOptions options = resolve_options(job, false);
  ResolvedGit resolved = co_await job.services.git.resolve(pinned, options);
  if (stage) stage->done(commit_.text());
  co_return resolved;
}

asio::awaitable<contract::Verdict> GitOrigin::verdict(const Job& job) {
  cache::KeyInputs name = inputs;
  name.emplace_back("contract", job.contract.name());
  const std::string record = name_of(name) + ".json";
  using Known = std::optional<contract::Verdict>;
  Work<Known> read = [&job, &record](const CancelToken&) -> Known {
    const auto text = job.services.store.read_record(Bucket::verdict, record);
    if (!text) return std::nullopt;
    return contract::from_record(*text);
  };
  const Known known = co_await os::on_pool<Known>(job.services.pool, job.cancel, std::move(read));
  if (known) co_return *known;
  co_await resolve(job);
  Work<contract::Verdict> judge = [&](const CancelToken&) {
    contract::Verdict made = job.contract.judge_commit(resolved_->mirror, commit_, reference_.subdirectory);
    job.services.store.write_record(Bucket::verdict, record, contract::to_record(made));
    return made;
  };
  contract::Verdict made = co_await os::on_pool<contract::Verdict>(job.services.pool, job.cancel, std::move(judge));
  co_return made;
}

asio::awaitable<Project> GitOrigin::export_project(const Job& job, fs::path target) const {
  ResolvedGit resolved = co_await bring(job);
  const std::int64_t time = resolved.info.committer_time;
  const source::ResolveOptions options = resolve_options(job, false);
  co_await job.services.git.export_work_tree(std::move(resolved), target, options);
  co_return Project{reference_.subdirectory.empty() ? target : target / reference_.subdirectory, time};
}

}  // namespace

asio::awaitable<OriginPtr> find_git_origin(const Job& job, source::GitRef reference) {
  const Answer answer = co_await meaning_of(job, reference);
  auto origin = std::make_unique<GitOrigin>(reference, CommitId::parse(answer.commit).value());
  if (answer.resolved) origin->take(*answer.resolved);
  origin->note_meaning(job, answer);
  const contract::Verdict verdict = co_await origin->verdict(job);
  const std::string version = reference.version.empty() ? std::string() : "@" + reference.version;
  enforce(job, verdict, job.reference.name, fmt::format("repo {}{}", source::safe_url(reference.url), version));
  co_await origin->choose_resolution(job);
  co_return OriginPtr(std::move(origin));
}

}  // namespace venvoy::venv::internal
