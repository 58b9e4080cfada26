#include "source/resolver.hpp"

#include <chrono>
#include <mutex>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/error.hpp"
#include "git_fixture.hpp"
#include "loop_fixture.hpp"
#include "source/git_url.hpp"
#include "support/catch.hpp"

namespace venvoy::source::test {
namespace {

namespace asio = boost::asio;

class Lines : public LogSink {
 public:
  bool enabled(LogLevel) const noexcept override { return true; }
  void write(LogLevel, std::string_view, std::string_view message) override { text += std::string(message) + "\n"; }
  std::string text;
};

struct Resolver {
  explicit Resolver(const World& given) : world(given), log(std::make_shared<Lines>()) {
    fs::create_directories(world.directory / "mirrors");
    fs::create_directories(world.directory / "locks");
    options.mirrors = world.directory / "mirrors";
    options.locks = world.directory / "locks";
    options.transport = world.transport().options;
    options.log = Logger(log);
  }
  GitSource make() { return GitSource(loop.io.get_executor(), loop.pool, loop.keeper, options); }
  ResolvedGit resolve(const std::string& url, const std::string& version, const ResolveOptions& how = {}) {
    GitSource source = make();
    return loop.run(source.resolve(GitRef{url, version, ""}, how));
  }
  std::string failure(const std::string& url, const std::string& version, const ResolveOptions& how = {}) {
    return error_of([&] { resolve(url, version, how); });
  }

  const World& world;
  std::shared_ptr<Lines> log;
  GitSourceOptions options;
  Loop loop;
};

ResolveOptions offline() {
  ResolveOptions how;
  how.allow_network = false;
  return how;
}

ResolveOptions refreshed() {
  ResolveOptions how;
  how.refresh = true;
  return how;
}

TEST_CASE("a commit that lies in the mirror needs no server") {
  World world;
  Resolver resolver(world);
  const std::string url = world.url("any-id");
  CHECK(resolver.failure(url, world.third, offline()) ==
        "'" + world.third + "' of " + url + " is not in the cache, and the network must not be used");
  CHECK(world.server().requests().empty());
  const ResolvedGit first = resolver.resolve(url, world.third);
  CHECK(first.contacted);
  CHECK(first.commit.text() == world.third);
  CHECK(first.kind == VersionKind::commit);
  CHECK(std::to_string(first.info.committer_time) == world.repository.git({"log", "-1", "--format=%ct"}));
  CHECK(first.mirror.directory().parent_path() == world.directory / "mirrors");
  world.server().stop();
  for (const ResolveOptions& how : {ResolveOptions{}, offline(), refreshed()}) {
    const ResolvedGit again = resolver.resolve(url, world.third, how);
    CHECK_FALSE(again.contacted);
    CHECK(again.commit == first.commit);
  }
  CHECK_FALSE(resolver.resolve(url, world.first).contacted);  // of its history
}

TEST_CASE("the mirror of a resolved reference cannot be removed") {
  World world;
  Resolver resolver(world);
  std::optional<ResolvedGit> resolved = resolver.resolve(world.url("any-id"), world.third);
  const fs::path file = resolver.options.locks / ("git-" + resolved->mirror.directory().filename().string());
  REQUIRE(fs::exists(file));
  CHECK_FALSE(os::FileLock::try_lock(file, os::LockMode::exclusive));
  CHECK(os::FileLock::try_lock(file, os::LockMode::shared));
  resolved.reset();
  CHECK(os::FileLock::try_lock(file, os::LockMode::exclusive));
}

TEST_CASE("a server that sends other objects, or not all, is found out, and fetched from again") {
  World world;
  Resolver resolver(world);
  write_file(world.directory / "MANNER", "lie");
  CHECK_THAT(resolver.failure(world.url("as-told"), world.third),
             Catch::ContainsSubstring("the server has sent other objects than commit"));
  write_file(world.directory / "MANNER", "lie-part");
  CHECK_THAT(resolver.failure(world.url("as-told"), world.third),
             Catch::ContainsSubstring("the server has not sent all of commit"));
  write_file(world.directory / "MANNER", "any-id");
  CHECK(resolver.resolve(world.url("as-told"), world.third).commit.text() == world.third);
}

TEST_CASE("what moves is asked of the mirror, or of the server where that is due") {
  World world;
  Resolver resolver(world);
  const std::string url = world.url("plain");
  CHECK(resolver.resolve(url, "").kind == VersionKind::default_branch);
  CHECK(resolver.resolve(url, "side").reference == "refs/heads/side");
  const int posts = world.server().posts();
  const std::string next = world.repository.commit("next.txt", "next");
  CHECK(resolver.resolve(url, "main").commit.text() == world.third);
  CHECK(world.server().posts() == posts);
  CHECK(resolver.resolve(url, "main", refreshed()).commit.text() == next);
  CHECK(resolver.resolve(url, "").commit.text() == next);
  CHECK(resolver.resolve(url, "v0.1", offline()).commit.text() == world.first);
  CHECK(resolver.failure(url, "nothing") == "there is no branch or tag 'nothing' in " + url);
  CHECK(resolver.failure(url, "nothing", offline()) ==
        "'nothing' of " + url + " is not in the cache, and the network must not be used");
}

TEST_CASE("references besides branches and tags are fetched when they are named") {
  World world;
  Resolver resolver(world);
  world.repository.git({"update-ref", "refs/pull/7/head", world.side});
  world.repository.git({"branch", "-D", "side"});
  CHECK(resolver.resolve(world.url("plain"), "main").commit.text() == world.third);
  const ResolvedGit pull = resolver.resolve(world.url("plain"), "refs/pull/7/head");
  CHECK(pull.commit.text() == world.side);
  CHECK(pull.kind == VersionKind::reference);
}

TEST_CASE("a short commit id is warned about once") {
  World world;
  Resolver resolver(world);
  GitSource source = resolver.make();
  const GitRef ref{world.url("plain"), world.first.substr(0, 8), ""};
  for (int i = 0; i < 2; ++i) CHECK(resolver.loop.run(source.resolve(ref, {})).commit.text() == world.first);
  CHECK(resolver.log->text == "'" + ref.version + "' of " + ref.url + " is short for " + world.first +
                                  ": write the full commit id, a short one can become ambiguous\n");
}

TEST_CASE("a missing commit is named with the URL") {
  World world;
  Resolver resolver(world);
  const std::string nobody(40, '0');
  CHECK(resolver.failure(world.url("plain"), nobody) ==
        "commit " + nobody + " is not in " + world.url("plain") + ": all its branches and tags were looked through");
}

TEST_CASE("rewrites lead elsewhere, and the URL as written stays") {
  World world;
  Resolver resolver(world);
  resolver.options.rewrites = {{"https://git.example/", "file://" + world.directory.path().string() + "/"}};
  const ResolvedGit resolved = resolver.resolve("https://git.example/repository", "main");
  CHECK(resolved.commit.text() == world.third);
  CHECK(resolved.url == "https://git.example/repository");
  CHECK(resolved.fetched_url == world.repository.url());
}

// Starts a resolve and counts how it ends.
struct Outcomes {
  int resolved = 0;
  std::vector<std::string> failures;
  bool done(int count) const { return resolved + static_cast<int>(failures.size()) == count; }
  void operator()(std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
      ++resolved;
    } catch (const std::exception& error) {
      failures.push_back(error.what());
    }
  }
};

asio::awaitable<void> resolve_only(GitSource& source, GitRef ref, ResolveOptions how) {
  co_await source.resolve(ref, how);
}

void start(Resolver& resolver, GitSource& source, const GitRef& ref, const ResolveOptions& how, Outcomes& outcomes,
           asio::cancellation_slot slot = {}) {
  asio::co_spawn(resolver.loop.io, resolve_only(source, ref, how),
                 asio::bind_cancellation_slot(slot, [&outcomes](std::exception_ptr thrown) { outcomes(thrown); }));
}

void turn_until(Resolver& resolver, const std::function<bool()>& reached) {
  while (!reached()) {
    resolver.loop.io.restart();
    resolver.loop.io.run_one_for(std::chrono::milliseconds(20));
  }
}

TEST_CASE("resolves that are under way together share one fetch") {
  World world;
  Resolver resolver(world);
  GitSource source = resolver.make();
  Outcomes outcomes;
  for (int i = 0; i < 20; ++i) {
    start(resolver, source, {world.url("any-id"), world.third, ""}, {}, outcomes);
    start(resolver, source, {world.url("slow"), "main", ""}, refreshed(), outcomes);
  }
  turn_until(resolver, [&] { return outcomes.done(40); });
  CHECK(outcomes.resolved == 40);
  CHECK(world.server().posts() == 2);
}

TEST_CASE("resolves that are under way together share a failure, but not a cancellation") {
  World world;
  Resolver resolver(world);
  resolver.options.transport.low_speed_time = std::chrono::hours(1);
  GitSource source = resolver.make();
  Outcomes outcomes;
  // The server takes its time, so that all of them have come to wait for the one that fetches.
  for (int i = 0; i < 10; ++i) start(resolver, source, {world.url("error-3"), "main", ""}, {}, outcomes);
  turn_until(resolver, [&] { return outcomes.done(10); });
  CHECK(world.server().requests().size() == 1);
  for (const std::string& failure : outcomes.failures) CHECK_THAT(failure, Catch::ContainsSubstring("status 500"));

  // The one that fetches is cancelled; the next one takes over. A waiting one is cancelled alone.
  Outcomes cancelled, others;
  CancelSource by_token;
  ResolveOptions with_token;
  with_token.cancel = by_token.token();
  asio::cancellation_signal by_signal;
  CancelSource last;
  ResolveOptions until_last;
  until_last.cancel = last.token();
  const GitRef silent{world.url("silent"), "main", ""};
  const std::size_t before = world.server().requests().size();
  start(resolver, source, silent, {}, cancelled, by_signal.slot());
  start(resolver, source, silent, with_token, cancelled);
  turn_until(resolver, [&] { return world.server().requests().size() == before + 1; });
  start(resolver, source, silent, until_last, others);
  by_token.cancel();
  by_signal.emit(asio::cancellation_type::all);
  turn_until(resolver, [&] { return cancelled.done(2); });
  CHECK(cancelled.failures == std::vector<std::string>{"cancelled", "cancelled"});
  turn_until(resolver, [&] { return world.server().requests().size() == before + 2; });
  CHECK(others.done(0));
  last.cancel();
  turn_until(resolver, [&] { return others.done(1); });
  CHECK(others.failures == std::vector<std::string>{"cancelled"});
}

// A credential helper of git's configuration that writes down what it is asked.
void install_helper(const World& world, const std::string& answer) {
  const fs::path script = world.directory / "helper.sh";
  write_file(script, "#!/bin/sh\necho \"action=$1\" >> " + (world.directory / "asked").string() + "\ncat >> " +
                         (world.directory / "asked").string() + "\nif [ \"$1\" = get ]; then printf '" + answer +
                         "'; fi\n");
  fs::permissions(script, fs::perms::owner_all);
  write_file(world.directory / "home" / ".gitconfig", "[credential]\n\thelper = " + script.string() + "\n");
}

TEST_CASE("a credential helper of git gives the login") {
  World world;
  Resolver resolver(world);
  install_helper(world, "username=user\\npassword=s3cret\\n");
  CHECK(resolver.resolve(world.url("auth"), "main").commit.text() == world.third);
  const std::string asked = read_file(world.directory / "asked");
  CHECK_THAT(asked, Catch::ContainsSubstring("action=get"));
  CHECK_THAT(asked, Catch::ContainsSubstring("host=127.0.0.1:" + std::to_string(world.server().port())));
  CHECK_THAT(asked, Catch::ContainsSubstring("action=store"));
  CHECK(asked.find("action=erase") == std::string::npos);
}

TEST_CASE("a wrong login of a credential helper is taken back and not shown") {
  World world;
  Resolver resolver(world);
  install_helper(world, "username=user\\npassword=wr0ng\\n");
  CHECK(resolver.failure(world.url("auth"), "main") ==
        "cannot fetch " + world.url("auth") + ": the server refused the login");
  CHECK_THAT(read_file(world.directory / "asked"), Catch::ContainsSubstring("action=erase"));
  CHECK(resolver.log->text.find("wr0ng") == std::string::npos);
}

TEST_CASE("Test_PullModule_NonexistentGitLocation: without a login nobody is asked for one") {
  World world;
  Resolver resolver(world);
  const fs::path asker = world.directory / "ask.sh";
  write_file(asker, "#!/bin/sh\ntouch " + (world.directory / "asked").string() + "\necho s3cret\n");
  fs::permissions(asker, fs::perms::owner_all);
  write_file(world.directory / "home" / ".gitconfig", "[core]\n\taskPass = " + asker.string() + "\n");
  for (const char* name : {"GIT_ASKPASS", "SSH_ASKPASS"})
    resolver.options.transport.environment.push_back(std::string(name) + "=" + asker.string());
  const std::string sentence =
      "cannot fetch " + world.url("auth") + ": the server wants a login, or there is no such repository";
  CHECK(resolver.failure(world.url("auth"), "main") == sentence);
  resolver.options.credential_helpers = false;
  CHECK(resolver.failure(world.url("auth"), "main") == sentence);
  CHECK_FALSE(fs::exists(world.directory / "asked"));
}

TEST_CASE("a credential helper that hangs is given up") {
  World world;
  Resolver resolver(world);
  resolver.options.transport.helper_timeout = std::chrono::milliseconds(200);
  write_file(world.directory / "home" / ".gitconfig", "[credential]\n\thelper = \"!sleep 1000 #\"\n");
  CHECK_THAT(resolver.failure(world.url("auth"), "main"), Catch::ContainsSubstring("the server wants a login"));
}

TEST_CASE("a work tree with submodules is fetched and made in one go") {
  World world;
  const TestRepository inner(world.directory / "inner");
  TestRepository middle(world.directory / "middle");
  TestRepository changed = inner;
  const std::string inner_commit = changed.commit("inner.txt", "inner\n");
  const auto add = [](const TestRepository& repository, const fs::path& what, const std::string& name) {
    repository.git({"-c", "protocol.file.allow=always", "submodule", "add", "-q", "--", what, name});
    repository.git({"config", "-f", ".gitmodules", "submodule." + name + ".url", "../../" + name + "/.git"});
  };
  add(middle, inner.path(), "inner");
  middle.commit_all("Add inner");
  add(world.repository, middle.path(), "middle");
  const std::string commit = world.repository.commit_all("Add middle");

  Resolver resolver(world);
  resolver.options.rewrites = {{"https://git.example/", world.server().url("any-id", "")}};
  GitSource source = resolver.make();
  const ResolvedGit resolved =
      resolver.loop.run(source.resolve({"https://git.example/repository/.git", commit, ""}, {}));
  const fs::path tree = world.directory / "tree";
  CHECK(error_of([&] {
          resolver.loop.run(source.export_work_tree(resolved, tree, offline()));
        }).starts_with("submodule 'middle' ("));
  CHECK_FALSE(fs::exists(tree));
  resolver.loop.run(source.export_work_tree(resolved, tree, {}));
  CHECK(read_file(tree / "middle/inner/inner.txt") == "inner\n");
  CHECK(run({"git", "config", "remote.origin.url"}, tree / "middle/inner") == "https://git.example/inner/.git");
  world.server().stop();
  resolver.loop.run(source.export_work_tree(resolved, world.directory / "again", offline()));
  CHECK(read_file(world.directory / "again/middle/inner/inner.txt") == "inner\n");
}

// Instead of ssh: writes its arguments down and runs the command here, as the other side would.
void install_ssh(const World& world, Resolver& resolver, const std::string& script) {
  const fs::path program = world.directory / "fake-ssh";
  write_file(program, "#!/bin/sh\nprintf '%s\\n' \"$*\" >> " + (world.directory / "ssh.log").string() +
                          "\nfor last; do :; done\n" + script + "\n");
  fs::permissions(program, fs::perms::owner_all);
  resolver.options.transport.environment.push_back("GIT_SSH=" + program.string());
}

TEST_CASE("repositories are fetched through ssh") {
  World world;
  Resolver resolver(world);
  install_ssh(world, resolver, "exec sh -c \"$last\"");
  const std::string url = "ssh://git@host.example:2222" + world.repository.path().string();
  CHECK(resolver.resolve(url, "main").commit.text() == world.third);
  CHECK(read_file(world.directory / "ssh.log") ==
        "-o BatchMode=yes -o ConnectTimeout=2 -x -T -p 2222 -l git -- host.example "
        "git-upload-pack '" +
            world.repository.path().string() + "'\n");
  const std::string next = world.repository.commit("next.txt", "next");
  CHECK(resolver.resolve(url, next).commit.text() == next);
  const std::string nobody(40, '0');
  for (const char* any_id : {"false", "true"}) {
    world.repository.git({"config", "uploadpack.allowAnySHA1InWant", any_id});
    CHECK(resolver.failure(url, nobody) ==
          "commit " + nobody + " is not in " + safe_url(url) + ": all its branches and tags were looked through");
  }
  world.repository.git({"tag", "-a", "-m", "Late", "late", world.first});
  const std::string last = world.repository.commit("last.txt", "last");
  CHECK(resolver.resolve(url, last).commit.text() == last);
  CHECK(resolver.resolve(url, "late", offline()).commit.text() == world.first);
}

TEST_CASE("what goes wrong with ssh is said in a sentence") {
  World world;
  const std::string url = "ssh://git@host.example" + world.repository.path().string();
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"echo 'git@host.example: Permission denied (publickey).' >&2; exit 255",
       "git@host.example: Permission denied (publickey)."},
      {"exec sh -c \"git-upload-pack '/no/where'\"", "fatal: '/no/where' does not appear to be a git repository"},
      {"exit 255", "ssh ended without a word"},
      {"exec sleep 1000", "time-out, the server sent (nearly) nothing for"},
      {"echo 'Welcome to this machine, which has no git'; exec sleep 1000", "the server does not speak git's protocol"},
  };
  for (const auto& [script, sentence] : rows) {
    INFO(script);
    Resolver resolver(world);
    resolver.options.transport.connect_timeout = std::chrono::milliseconds(100);
    install_ssh(world, resolver, script);
    CHECK_THAT(resolver.failure(url, "main"), Catch::ContainsSubstring("cannot fetch " + url + ": " + sentence));
  }
  Resolver resolver(world);
  resolver.options.transport.environment = {"PATH=/nowhere"};
  CHECK(resolver.failure(url, "main") == "cannot fetch " + url + ": there is no program 'ssh'");
}

}  // namespace
}  // namespace venvoy::source::test
