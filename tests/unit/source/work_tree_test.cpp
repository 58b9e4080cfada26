#include <map>

#include "base/error.hpp"
#include "git_fixture.hpp"
#include "source/git_mirror.hpp"
#include "support/catch.hpp"

namespace venvoy::source::test {
namespace {

// The git program in a work tree, as build back ends run it.
std::string git_in(const fs::path& tree, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "git");
  return run(arguments, tree, {"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null"});
}

struct Exported {
  explicit Exported(const World& world, const std::string& commit, const WorkTreeOptions& options = {})
      : mirror(world.mirror(world.repository.url())), tree(world.directory / "tree") {
    mirror.fetch({}, world.transport(), {});
    mirror.export_work_tree(id(commit), tree, options, {});
  }
  GitMirror mirror;
  fs::path tree;
};

TEST_CASE("a work tree is what git would have checked out") {
  World world;
  fs::create_symlink("src/p.py", world.repository.path() / "link.py");
  fs::create_symlink("/no/where", world.repository.path() / "src/outside");
  write_file(world.repository.path() / "run.sh", "#!/bin/sh\n");
  fs::permissions(world.repository.path() / "run.sh", fs::perms::owner_exec, fs::perm_options::add);
  write_file(world.repository.path() / "dos.bat", "line\r\n");
  const std::string commit = world.repository.commit("with blank/ä.txt", "text");
  const Exported exported(world, commit);

  CHECK(read_file(exported.tree / "src/p.py") == "print('two')\n");
  CHECK(read_file(exported.tree / "with blank/ä.txt") == "text");
  CHECK(read_file(exported.tree / "dos.bat") == "line\r\n");
  CHECK(fs::read_symlink(exported.tree / "link.py") == "src/p.py");
  CHECK(fs::read_symlink(exported.tree / "src/outside") == "/no/where");
  const auto executable = [](const fs::path& file) {
    return (fs::status(file).permissions() & fs::perms::owner_exec) != fs::perms::none;
  };
  CHECK(executable(exported.tree / "run.sh"));
  CHECK_FALSE(executable(exported.tree / "src/p.py"));
  CHECK(git_in(exported.tree, {"status", "--porcelain"}) == "");
  CHECK(git_in(exported.tree, {"rev-parse", "HEAD"}) == commit);
  CHECK(git_in(exported.tree, {"fsck", "--no-dangling"}) == "");
}

TEST_CASE("versions can be taken from the git of a work tree") {
  const World world;
  const Exported exported(world, world.third);
  CHECK(git_in(exported.tree, {"describe", "--dirty", "--tags", "--long"}) == "light-1-g" + world.third.substr(0, 7));
  CHECK(git_in(exported.tree, {"describe", "--dirty"}) == "v0.1-2-g" + world.third.substr(0, 7));
  CHECK(git_in(exported.tree, {"rev-parse", "--abbrev-ref", "HEAD"}) == "HEAD");
  CHECK(git_in(exported.tree, {"branch", "-r", "--contains", "HEAD", "--format=%(refname)"}) ==
        "refs/remotes/origin/main");
  CHECK(git_in(exported.tree, {"branch", "--format=%(refname)", "--list", "main"}) == "refs/heads/main");
  CHECK(git_in(exported.tree, {"config", "remote.origin.url"}) == world.repository.url());
  CHECK(git_in(exported.tree, {"log", "-1", "--format=%ct"}) == world.repository.git({"log", "-1", "--format=%ct"}));
}

TEST_CASE("a work tree of a commit fetched by its id has the tags of its history") {
  const World world;
  const GitMirror mirror = world.mirror(world.url("any-id"));
  mirror.fetch({id(world.third), ""}, world.transport(), {});
  mirror.export_work_tree(id(world.third), world.directory / "tree", {}, {});
  CHECK(git_in(world.directory / "tree", {"describe"}) == "v0.1-2-g" + world.third.substr(0, 7));
}

TEST_CASE("a work tree outlives its mirror") {
  const World world;
  const Exported exported(world, world.second);
  fs::remove_all(exported.mirror.directory());
  CHECK(git_in(exported.tree, {"describe"}) == "v0.1-1-g" + world.second.substr(0, 7));
  CHECK(git_in(exported.tree, {"fsck", "--no-dangling"}) == "");
  CHECK(git_in(exported.tree, {"status", "--porcelain"}) == "");
}

TEST_CASE("nothing of the repository is run when a work tree is made") {
  World world;
  const fs::path witness = world.directory / "witness";
  write_file(world.repository.path() / ".gitattributes", "*.txt filter=evil text eol=crlf\n*.id ident\n");
  world.repository.git({"config", "filter.evil.smudge", "touch " + witness.string()});
  world.repository.git({"config", "filter.evil.clean", "cat"});
  write_file(world.repository.path() / "a.id", "$Id$\n");
  const std::string commit = world.repository.commit("evil.txt", "text\n");
  fs::remove(witness);
  write_file(world.repository.path() / ".git/hooks/post-checkout", "#!/bin/sh\ntouch " + witness.string() + "\n");
  fs::permissions(world.repository.path() / ".git/hooks/post-checkout", fs::perms::all);
  const Exported exported(world, commit);
  CHECK_FALSE(fs::exists(witness));
  CHECK_FALSE(fs::exists(exported.tree / ".git/hooks"));
  CHECK(read_file(exported.tree / "evil.txt") == "text\n");
  CHECK(read_file(exported.tree / "a.id") == "$Id$\n");
  CHECK(git_in(exported.tree, {"status", "--porcelain"}) == "");
}

TEST_CASE("a work tree that cannot be made leaves nothing") {
  const World world;
  const GitMirror mirror = world.mirror(world.repository.url());
  mirror.fetch({}, world.transport(), {});
  const fs::path tree = world.directory / "tree";
  const auto make = [&](const WorkTreeOptions& options, const CancelToken& cancel) {
    return error_of([&] { mirror.export_work_tree(id(world.third), tree, options, cancel); });
  };
  WorkTreeOptions options;
  options.max_bytes = 1000;
  CHECK_THAT(make(options, {}), Catch::ContainsSubstring("has more than 1000 bytes of files"));
  CHECK_FALSE(fs::exists(tree));
  options = {};
  options.max_entries = 2;
  CHECK_THAT(make(options, {}), Catch::ContainsSubstring("has more than 2 files"));
  CHECK_FALSE(fs::exists(tree));
  CancelSource cancel;
  cancel.cancel();
  CHECK(make({}, cancel.token()) == "cancelled");
  CHECK_FALSE(fs::exists(tree));
  write_file(tree / "mine.txt", "mine");
  CHECK(make({}, {}) == "'" + tree.string() + "' is not empty");
  CHECK(read_file(tree / "mine.txt") == "mine");
}

// A repository with a submodule that has one itself.
struct Nested {
  Nested() : inner(world.directory / "inner"), middle(world.directory / "middle") {
    inner_commit = inner.commit("inner.txt", "inner\n");
    inner.git({"tag", "i1"});
    add(middle, "deep/inner", "../inner");
    middle_commit = middle.commit_all("Add inner");
    add(world.repository, "middle", "../middle");
    commit = world.repository.commit_all("Add middle");
  }
  static void add(const TestRepository& repository, const std::string& path, const std::string& url) {
    repository.git({"-c", "protocol.file.allow=always", "submodule", "add", "-q", "--name", "the " + path, "--",
                    (repository.path().parent_path() / fs::path(url).filename()).string(), path});
    repository.git({"config", "-f", ".gitmodules", "submodule.the " + path + ".url", url});
  }
  World world;
  TestRepository inner, middle;
  std::string inner_commit, middle_commit, commit;
};

TEST_CASE("submodules are listed and checked out") {
  const Nested nested;
  const World& world = nested.world;
  WorkTreeOptions options;
  options.submodule_mirror = [&](const Submodule& submodule) {
    const GitMirror mirror = world.mirror(submodule.url, fs::path(submodule.url).filename());
    mirror.fetch({submodule.commit, ""}, world.transport(), {});
    return mirror;
  };
  const Exported exported(world, nested.commit, options);
  const std::vector<Submodule> modules = exported.mirror.submodules(id(nested.commit));
  REQUIRE(modules.size() == 1);
  CHECK(modules[0].path == "middle");
  CHECK(modules[0].url == nested.middle.url());
  CHECK(modules[0].commit.text() == nested.middle_commit);
  CHECK(read_file(exported.tree / "middle/deep/inner/inner.txt") == "inner\n");
  CHECK(git_in(exported.tree / "middle/deep/inner", {"describe", "--tags"}) == "i1");
  CHECK(git_in(exported.tree, {"status", "--porcelain"}) == "");

  options.max_depth = 1;
  CHECK_THAT(
      error_of([&] { exported.mirror.export_work_tree(id(nested.commit), world.directory / "other", options, {}); }),
      Catch::ContainsSubstring("nested deeper than 1"));
  CHECK_FALSE(fs::exists(world.directory / "other"));
}

TEST_CASE("without mirrors for them submodules stay empty") {
  const Nested nested;
  const Exported exported(nested.world, nested.commit);
  CHECK(fs::is_directory(exported.tree / "middle"));
  CHECK(fs::is_empty(exported.tree / "middle"));
}

TEST_CASE("submodules that must not be followed are refused or passed over") {
  Nested nested;
  nested.world.repository.git({"config", "-f", ".gitmodules", "submodule.the middle.url", nested.middle.path()});
  const std::string commit = nested.world.repository.commit_all("Absolute");
  const GitMirror local = nested.world.mirror(nested.world.repository.url(), "local");
  local.fetch({}, nested.world.transport(), {});
  CHECK(local.submodules(id(commit)).at(0).url == nested.middle.url());
  const GitMirror remote = nested.world.mirror(nested.world.url("plain"), "remote");
  remote.fetch({}, nested.world.transport(), {});
  CHECK(error_of([&] { (void)remote.submodules(id(commit)); }) ==
        "the submodule's URL '" + nested.middle.path().string() +
            "' cannot be used: it is a repository on this machine, and the one that names it is not");
  nested.world.repository.git({"config", "-f", ".gitmodules", "submodule.the middle.update", "none"});
  const std::string none = nested.world.repository.commit_all("No update");
  remote.fetch({}, nested.world.transport(), {});
  CHECK(remote.submodules(id(none)).empty());
}

}  // namespace
}  // namespace venvoy::source::test
