#include "source/git_mirror.hpp"

#include <algorithm>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

#include <git2.h>

#include "base/error.hpp"
#include "git_fixture.hpp"
#include "support/catch.hpp"

namespace venvoy::source::test {
namespace {

const std::string nobody = "0000000000000000000000000000000000000000";

struct Version {
  std::string text;
  std::string World::*commit;
  VersionKind kind;
  std::string reference;
};

const std::vector<Version> versions = {
    {"", &World::third, VersionKind::default_branch, "refs/heads/main"},
    {"main", &World::third, VersionKind::branch, "refs/heads/main"},
    {"side", &World::side, VersionKind::branch, "refs/heads/side"},
    {"v0.1", &World::first, VersionKind::tag, "refs/tags/v0.1"},
    {"light", &World::second, VersionKind::tag, "refs/tags/light"},
    {"refs/tags/v0.1", &World::first, VersionKind::tag, "refs/tags/v0.1"},
    {"refs/heads/side", &World::side, VersionKind::branch, "refs/heads/side"},
};

TEST_CASE("a mirror knows branches, tags and the default branch") {
  const World world;
  for (const std::string& url : {world.repository.url(), world.url("plain")}) {
    INFO(url);
    const GitMirror mirror = world.mirror(url, url.substr(0, 4));
    const FetchResult result = mirror.fetch({}, world.transport(), {});
    CHECK(result.contacted);
    CHECK_FALSE(result.by_id);
    for (const Version& row : versions) {
      INFO(row.text);
      const ResolvedVersion version = mirror.resolve(row.text);
      CHECK(version.commit.text() == world.*row.commit);
      CHECK(version.kind == row.kind);
      CHECK(version.reference == row.reference);
    }
  }
}

TEST_CASE("a commit id may be shortened") {
  const World world;
  const GitMirror mirror = world.mirror(world.repository.url());
  mirror.fetch({}, world.transport(), {});
  for (const std::size_t length : {7u, 12u, 39u}) {
    const ResolvedVersion version = mirror.resolve(world.first.substr(0, length));
    CHECK(version.commit.text() == world.first);
    CHECK(version.kind == VersionKind::abbreviation);
  }
  CHECK(mirror.resolve(world.first).kind == VersionKind::commit);
  std::string upper = world.first;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  CHECK(mirror.resolve(upper).commit.text() == world.first);
  CHECK(mirror.resolve(upper.substr(0, 10)).commit.text() == world.first);
}

TEST_CASE("a branch wins over a tag, and both over the start of a commit id") {
  World world;
  world.repository.git({"branch", "both", world.side});
  world.repository.git({"tag", "both", world.first});
  world.repository.git({"tag", world.second.substr(0, 7), world.first});
  const GitMirror mirror = world.mirror(world.repository.url());
  mirror.fetch({}, world.transport(), {});
  CHECK(mirror.resolve("both").commit.text() == world.side);
  CHECK(mirror.resolve(world.second.substr(0, 7)).commit.text() == world.first);
  CHECK(mirror.resolve(world.second.substr(0, 8)).commit.text() == world.second);
}

// Two commits whose ids start with the same seven digits: by the birthday paradox some ten thousand are enough.
std::pair<std::string, std::string> make_similar_commits(const TestRepository& repository) {
  const std::string person = " A <a@example.com> 1700000000 +0000\n";
  const std::string head = "tree " + repository.git({"rev-parse", "HEAD^{tree}"}) + "\nauthor" + person + "committer" +
                           person + "\nMessage ";
  std::map<std::string, std::string> seen;
  for (int number = 0;; ++number) {
    const std::string commit = head + std::to_string(number) + "\n";
    git_oid hash;
    git_odb_hash(&hash, commit.data(), commit.size(), GIT_OBJECT_COMMIT);
    const std::string digits = git_oid_tostr_s(&hash);
    const auto [place, is_new] = seen.emplace(digits.substr(0, 7), commit);
    if (is_new) continue;
    std::vector<std::string> ids;
    for (const std::string& contents : {place->second, commit}) {
      write_file(repository.path() / ".git" / "similar", contents);
      ids.push_back(repository.git({"hash-object", "-t", "commit", "-w", ".git/similar"}));
      repository.git({"branch", "similar-" + std::to_string(ids.size()), ids.back()});
    }
    std::sort(ids.begin(), ids.end());
    return {ids[0], ids[1]};
  }
}

TEST_CASE("an ambiguous start of a commit id names the candidates") {
  const World world;
  const auto [one, two] = make_similar_commits(world.repository);
  REQUIRE(one != two);
  const std::string start = one.substr(0, 7);
  REQUIRE(two.substr(0, 7) == start);
  const GitMirror mirror = world.mirror(world.repository.url());
  mirror.fetch({}, world.transport(), {});
  CHECK(mirror.resolve(one.substr(0, 20)).commit.text() == one);
  CHECK(mirror.resolve(two.substr(0, 20)).commit.text() == two);
  CHECK(error_of([&] { mirror.resolve(start); }) ==
        "'" + start + "' is ambiguous in " + mirror.url() + ": it is the start of '" + one + "', '" + two + "'");
}

TEST_CASE("what is not there is said in a sentence") {
  const World world;
  const GitMirror mirror = world.mirror(world.repository.url());
  mirror.fetch({}, world.transport(), {});
  const std::string url = world.repository.url();
  CHECK(error_of([&] { mirror.resolve(nobody); }) ==
        "commit " + nobody + " is not in " + url + ": all its branches and tags were looked through");
  CHECK(error_of([&] { mirror.resolve("mian"); }) ==
        "there is no branch or tag 'mian' in " + url + ", did you mean 'main'?");
  CHECK(error_of([&] { mirror.resolve("0000000"); }) ==
        "'0000000', neither as a name nor as the start of a commit id, is not in " + url +
            ": all its branches and tags were looked through");
  CHECK(error_of([&] { mirror.resolve("abc"); }) == "there is no branch or tag 'abc' in " + url);
}

TEST_CASE("a mirror follows branches that move, and forgets those that are gone") {
  World world;
  for (const std::string& url : {world.repository.url(), world.url("plain")}) {
    INFO(url);
    world.repository.git({"branch", "-f", "moving", world.first});
    world.repository.git({"branch", "-f", "dir/one", world.first});
    const GitMirror mirror = world.mirror(url, url.substr(0, 4));
    mirror.fetch({}, world.transport(), {});
    CHECK(mirror.resolve("moving").commit.text() == world.first);

    world.repository.git({"branch", "-f", "moving", world.side});
    world.repository.git({"tag", "-f", "light", world.first});
    world.repository.git({"branch", "-D", "dir/one"});
    world.repository.git({"branch", "dir", world.second});
    mirror.fetch({}, world.transport(), {});
    CHECK(mirror.resolve("moving").commit.text() == world.side);
    CHECK(mirror.resolve("light").commit.text() == world.first);
    CHECK(mirror.resolve("dir").commit.text() == world.second);
    CHECK(error_of([&] { mirror.resolve("dir/one"); }) != "");

    world.repository.git({"branch", "-D", "dir"});
    world.repository.git({"tag", "-f", "light", world.second});
    world.repository.git({"checkout", "-q", "side"});
    mirror.fetch({}, world.transport(), {});
    CHECK(mirror.resolve("").reference == "refs/heads/side");
    world.repository.git({"checkout", "-q", "main"});
  }
}

TEST_CASE("a default branch that is no branch, and none at all") {
  World world;
  world.repository.git({"checkout", "-q", "--detach"});
  const std::string loose = world.repository.commit("loose.txt", "on no branch");
  for (const std::string& url : {world.repository.url(), world.url("plain")}) {
    INFO(url);
    const GitMirror mirror = world.mirror(url, url.substr(0, 4));
    mirror.fetch({}, world.transport(), {});
    CHECK(mirror.resolve("").commit.text() == loose);
  }
  const TestRepository empty(world.directory / "empty");
  for (const std::string& url : {empty.url(), world.server().url("plain", "empty/.git")}) {
    INFO(url);
    const GitMirror mirror = world.mirror(url, "empty" + url.substr(0, 4));
    mirror.fetch({}, world.transport(), {});
    CHECK(error_of([&] { mirror.resolve(""); }) == url + " has no commits on its default branch");
  }
}

TEST_CASE("any reference can be fetched by its full name") {
  World world;
  world.repository.git({"checkout", "-q", "--detach"});
  const std::string pull = world.repository.commit("pull.txt", "a request");
  world.repository.git({"update-ref", "refs/pull/7/head", pull});
  world.repository.git({"checkout", "-q", "main"});
  for (const std::string& url : {world.repository.url(), world.url("plain")}) {
    INFO(url);
    const GitMirror mirror = world.mirror(url, url.substr(0, 4));
    mirror.fetch({}, world.transport(), {});
    CHECK(error_of([&] { mirror.resolve("refs/pull/7/head"); }) ==
          "there is no branch or tag 'refs/pull/7/head' in " + url);
    mirror.fetch({std::nullopt, "refs/pull/7/head"}, world.transport(), {});
    const ResolvedVersion version = mirror.resolve("refs/pull/7/head");
    CHECK(version.commit.text() == pull);
    CHECK(version.kind == VersionKind::reference);
  }
}

TEST_CASE("files, trees and times are read of a commit") {
  World world;
  fs::create_symlink("src/p.py", world.repository.path() / "link.py");
  fs::create_symlink("../../outside", world.repository.path() / "src/outside");
  fs::create_symlink("circle", world.repository.path() / "circle");
  write_file(world.repository.path() / "run.sh", "#!/bin/sh\n");
  fs::permissions(world.repository.path() / "run.sh", fs::perms::owner_exec, fs::perm_options::add);
  const CommitId commit = id(world.repository.commit("with blank/ä.txt", "text"));
  const GitMirror mirror = world.mirror(world.repository.url());
  mirror.fetch({}, world.transport(), {});

  CHECK(mirror.read_file(commit, "src/p.py", 100) == "print('two')\n");
  CHECK(mirror.read_file(commit, "link.py", 100) == "print('two')\n");
  CHECK(mirror.read_file(commit, "with blank/ä.txt", 100) == "text");
  for (const char* path : {"no.txt", "src", "src/outside", "circle", "src/p.py/x", "", "/src/p.py", "../src/p.py"}) {
    INFO(path);
    CHECK(mirror.read_file(commit, path, 100) == std::nullopt);
  }
  CHECK(error_of([&] { (void)mirror.read_file(commit, "src/p.py", 12); }) ==
        "'src/p.py' in " + world.repository.url() + " is longer than 12 bytes");
  CHECK(mirror.has_path(commit, "src"));
  CHECK(mirror.has_path(commit, "src/p.py"));
  CHECK_FALSE(mirror.has_path(commit, "src/q.py"));

  std::map<std::string, TreeEntry::Kind> kinds;
  for (const TreeEntry& entry : mirror.list_tree(commit)) kinds[entry.path] = entry.kind;
  CHECK(kinds.size() == 10);
  CHECK(kinds.at("src") == TreeEntry::Kind::directory);
  CHECK(kinds.at("src/p.py") == TreeEntry::Kind::file);
  CHECK(kinds.at("run.sh") == TreeEntry::Kind::executable);
  CHECK(kinds.at("link.py") == TreeEntry::Kind::symlink);
  CHECK_THAT(error_of([&] { mirror.list_tree(commit, 9); }), Catch::ContainsSubstring("more than 9 files"));

  const CommitInfo info = mirror.commit_info(commit);
  CHECK(std::to_string(info.author_time) == world.repository.git({"log", "-1", "--format=%at"}));
  CHECK(std::to_string(info.committer_time) == world.repository.git({"log", "-1", "--format=%ct"}));
  CHECK(info.tree == world.repository.git({"rev-parse", "HEAD^{tree}"}));
}

TEST_CASE("repositories on this machine are found in all their forms, whoever owns them") {
  World world;
  world.repository.git({"clone", "-q", "--bare", ".", (world.directory / "bare.git").string()});
  world.repository.git({"worktree", "add", "-q", (world.directory / "linked tree").string(), "side"});
  const std::string root = "file://" + world.directory.path().string();
  int number = 0;
  for (const std::string& url : {root + "/bare.git", root + "/bare", root + "/repository", root + "/repository/",
                                 root + "/repository/.git", root + "/linked%20tree"}) {
    INFO(url);
    const GitMirror mirror = world.mirror(url, std::to_string(++number));
    mirror.fetch({}, world.transport(), {});
    CHECK(mirror.resolve("v0.1").commit.text() == world.first);
  }
  for (const std::string& url : {root + "/nothing", root, root + "/repository/src"}) {
    INFO(url);
    const GitMirror mirror = world.mirror(url, std::to_string(++number));
    CHECK(error_of([&] { mirror.fetch({}, world.transport(), {}); }) ==
          "cannot fetch " + url + ": repository not found");
  }
  if (::geteuid() != 0) return;  // only root can give files away
  for (const auto& entry : fs::recursive_directory_iterator(world.directory / "bare.git"))
    REQUIRE(::lchown(entry.path().c_str(), 12345, 12345) == 0);
  REQUIRE(::lchown((world.directory / "bare.git").c_str(), 12345, 12345) == 0);
  const GitMirror mirror = world.mirror(root + "/bare.git", "owned");
  mirror.fetch({}, world.transport(), {});
  CHECK(mirror.resolve("side").commit.text() == world.side);
}

TEST_CASE("a commit of a repository on this machine is fetched by its id, with its tags only") {
  const World world;
  const GitMirror mirror = world.mirror(world.repository.url());
  CHECK_FALSE(mirror.sound());
  CHECK_FALSE(mirror.has_commit(id(world.second)));
  CHECK(mirror.fetch({id(world.second), ""}, world.transport(), {}).by_id);
  CHECK(mirror.has_commit(id(world.second)));
  CHECK(mirror.has_commit(id(world.first)));
  CHECK_FALSE(mirror.has_commit(id(world.third)));
  CHECK(mirror.resolve("light").commit.text() == world.second);
  CHECK(mirror.resolve("v0.1").commit.text() == world.first);
  CHECK_FALSE(mirror.fetch({id(world.second), ""}, world.transport(), {}).contacted);
  CHECK_FALSE(mirror.fetch({id(nobody), ""}, world.transport(), {}).by_id);
  CHECK(mirror.has_commit(id(world.third)));
}

TEST_CASE("a damaged mirror is built anew by the next fetch") {
  const World world;
  const GitMirror mirror = world.mirror(world.repository.url());
  const fs::path directory = mirror.directory();
  const auto fetch = [&] { mirror.fetch({}, world.transport(), {}); };
  const std::vector<std::function<void()>> damages = {
      [&] { fs::remove_all(directory / "objects" / "pack"); },
      [&] { fs::remove(directory / "HEAD"); },
      [&] { fs::remove_all(directory), write_file(directory, "a file"); },
      [&] {
        for (const auto& entry : fs::directory_iterator(directory / "objects" / "pack"))
          if (entry.path().extension() == ".pack") fs::remove(entry.path());
      },
      [&] {
        for (const auto& entry : fs::directory_iterator(directory / "objects" / "pack")) {
          fs::permissions(entry.path(), fs::perms::owner_write, fs::perm_options::add);
          fs::resize_file(entry.path(), 10);
        }
      },
  };
  for (const auto& damage : damages) {
    fetch();
    REQUIRE(mirror.sound());
    REQUIRE(mirror.has_commit(id(world.third)));
    damage();
    CHECK_FALSE(mirror.sound());
    CHECK_FALSE(mirror.has_commit(id(world.third)));
    CHECK(error_of([&] { mirror.resolve("main"); }) == "the mirror of " + mirror.url() + " is not there or damaged");
  }
  fetch();
  CHECK(mirror.resolve("main").commit.text() == world.third);
}

TEST_CASE("what a killed fetch has left is swept by the next") {
  World world;
  const GitMirror mirror = world.mirror(world.repository.url());
  mirror.fetch({}, world.transport(), {});
  const fs::path packs = mirror.directory() / "objects" / "pack";
  write_file(packs / "pack_git2_abcdef", "half a pack");
  write_file(packs / ("pack-" + nobody + ".idx"), "an index without a pack");
  write_file(packs / ("pack-" + std::string(40, '1') + ".pack"), "a pack without an index");
  CHECK(mirror.has_commit(id(world.third)));
  mirror.fetch({}, world.transport(), {});
  CHECK(std::distance(fs::directory_iterator(packs), {}) == 2);
  CHECK(mirror.resolve("main").commit.text() == world.third);
}

TEST_CASE("nothing of the user's or the repository's git configuration is looked at") {
  World world;
  world.repository.git({"config", "uploadpack.packObjectsHook", "touch /tmp/never"});
  write_file(world.repository.path() / ".git" / "config", "[broken\n");
  const GitMirror mirror = world.mirror(world.repository.url());
  mirror.fetch({}, world.transport(), {});
  CHECK(mirror.resolve("main").commit.text() == world.third);
}

}  // namespace
}  // namespace venvoy::source::test
