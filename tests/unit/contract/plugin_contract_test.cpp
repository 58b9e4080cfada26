#include "contract/plugin_contract.hpp"

#include <filesystem>
#include <fstream>

#include "base/cancel.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/temporary_dir.hpp"
#include "unit/source/git_fixture.hpp"

using namespace venvoy;
using contract::PackageFacts;
using contract::PluginContract;
using contract::Verdict;
namespace fs = std::filesystem;

namespace {

const std::string marker(PluginContract::marker_file);

// A repository and its mirror.
struct Repository {
  venvoy::test::TemporaryDir directory;
  source::test::TestRepository work{directory / "repository"};
  source::GitMirror mirror{work.url(), directory / "mirror.git", directory / "mirror.lock"};

  bool keeps(const std::string& commit, const std::string& subdirectory = {}) const {
    mirror.fetch({source::CommitId::parse(commit), {}}, {}, {});
    return PluginContract().judge_commit(mirror, source::CommitId::parse(commit).value(), subdirectory).kept();
  }
};

}  // namespace

TEST_CASE("the contract of a commit is a file in the plugin's root") {
  Repository repository;
  const std::string without = repository.work.commit("README", "nothing");
  const std::string deeper = repository.work.commit("plugin/" + marker, "");
  const std::string with = repository.work.commit(marker, "any text");
  repository.work.git({"rm", "-q", marker});
  const std::string removed = repository.work.commit_all("Remove it");
  CHECK_FALSE(repository.keeps(without));
  CHECK_FALSE(repository.keeps(deeper));
  CHECK(repository.keeps(deeper, "plugin"));
  CHECK(repository.keeps(with));
  CHECK(repository.keeps(with, "plugin"));
  CHECK_FALSE(repository.keeps(with, "no/such/folder"));
  CHECK_FALSE(repository.keeps(removed));
  CHECK(repository.keeps(removed, "plugin"));
}

TEST_CASE("a folder of the contract's name is no contract, a link is") {
  Repository repository;
  const std::string folder = repository.work.commit(marker + "/file", "");
  CHECK_FALSE(repository.keeps(folder));
  repository.work.git({"rm", "-qr", marker});
  fs::create_symlink("elsewhere", repository.work.path() / marker);
  CHECK(repository.keeps(repository.work.commit_all("Link it")));
}

TEST_CASE("the contract of a folder") {
  const venvoy::test::TemporaryDir folder;
  const PluginContract contract;
  CHECK_FALSE(contract.judge_folder(folder.path()).kept());
  fs::create_directories(folder / "deeper");
  std::ofstream(folder / "deeper" / marker) << "";
  CHECK_FALSE(contract.judge_folder(folder.path()).kept());
  CHECK(contract.judge_folder(folder / "deeper").kept());
  fs::create_directory(folder / marker);
  CHECK_FALSE(contract.judge_folder(folder.path()).kept());
  fs::remove(folder / marker);
  fs::create_symlink("elsewhere", folder / marker);
  CHECK(contract.judge_folder(folder.path()).kept());
  CHECK_FALSE(contract.judge_folder(folder / "absent").kept());
}

TEST_CASE("the contract of a package is in its metadata") {
  struct Row {
    std::vector<std::string> classifiers, keywords, files;
    std::string evidence;  // "" if it is not kept
  };
  const Row rows[] = {
      {{}, {}, {"METADATA", "RECORD"}, ""},
      {{"Arcaflow :: Python Deployer :: Runnable"}, {}, {}, "classifier 'Arcaflow :: Python Deployer :: Runnable'"},
      {{"Topic :: System", "Arcaflow :: Python Deployer :: Runnable"},
       {},
       {},
       "classifier 'Arcaflow :: Python Deployer :: Runnable'"},
      {{"Arcaflow :: Python Deployer"}, {}, {}, ""},
      {{}, {"chaos", "arcaflow-python-deployer-runnable"}, {}, "keyword 'arcaflow-python-deployer-runnable'"},
      {{}, {"arcaflow-python-deployer-runnable-not"}, {}, ""},
      {{}, {}, {"METADATA", ".python_deployer_compat"}, "file .python_deployer_compat"},
      {{}, {}, {"licenses/.python_deployer_compat"}, ""},
  };
  for (const Row& row : rows) {
    const Verdict verdict = PluginContract().judge_package({"p", "1.0", row.classifiers, row.keywords, row.files});
    CHECK(verdict.kept() == !row.evidence.empty());
    if (verdict.kept()) CHECK(verdict.evidence == row.evidence);
  }
}

TEST_CASE("a refusal says what is missing and what to do") {
  const PluginContract contract;
  const auto refusal = contract.refusal("arcaflow-plugin-a", "repo https://host/a.git@main",
                                        "arcaflow-plugin-a@git+https://host/a.git@main", contract.judge_package({}));
  CHECK_GOLDEN("contract/refusal.txt", refusal.message + "\n" + refusal.hint + "\n");
}
