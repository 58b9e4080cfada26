#include "rucio/target_directory.hpp"

#include <fstream>
#include <sstream>

#include "base/error.hpp"
#include "os/files.hpp"
#include "support/catch.hpp"
#include "support/temporary_dir.hpp"

using venvoy::CancelToken;
using venvoy::Error;
using namespace venvoy::rucio;
namespace fs = std::filesystem;

namespace {

std::string text_of(const fs::path& path) {
  return venvoy::os::read_file(path, 1 << 20);
}

// A package of one file, and its metadata.
struct Source {
  fs::path folder;
  std::string version;

  std::vector<FileToInstall> files() const {
    const std::string info = "x-" + version + ".dist-info";
    fs::create_directories(folder / "x");
    fs::create_directories(folder / info);
    std::ofstream(folder / "x" / "__init__.py") << "MARKER = '" << version << "'\n";
    std::ofstream(folder / info / "METADATA") << "Name: x\nVersion: " << version << "\n";
    std::ofstream(folder / info / "RECORD") << "x/__init__.py,,\n../../bin/x,,\n" << info << "/RECORD,,\n";
    std::vector<FileToInstall> list;
    for (const std::string path : {std::string("x/__init__.py"), info + "/METADATA", info + "/RECORD"})
      list.push_back({folder / path, path});
    return list;
  }
};

InstallRecord record_of(const Source& source) {
  InstallRecord record;
  record.module = "x";
  record.version = source.version;
  record.entries = entries_of(source.files());
  record.content_sha256 = content_hash(source.files());
  return record;
}

void install(const fs::path& path, const Source& source) {
  TargetDirectory target = TargetDirectory::open(path, CancelToken());
  target.swap(target.stage(source.files()), {{"x", record_of(source)}});
}

}  // namespace

TEST_CASE("sets are swapped and swapped back") {
  const venvoy::test::TemporaryDir folder;
  const fs::path path = folder.path() / "target";
  const Source one{folder.path() / "one", "1.0"}, two{folder.path() / "two", "2.0"};
  install(path, one);
  CHECK(text_of(path / "x-1.0.dist-info" / "RECORD") == "x/__init__.py,,\nx-1.0.dist-info/RECORD,,\n");
  CHECK(TargetDirectory::open(path, CancelToken()).holds(record_of(one)));
  install(path, two);
  CHECK(text_of(path / "x" / "__init__.py") == "MARKER = '2.0'\n");
  CHECK_FALSE(fs::exists(path / "x-1.0.dist-info"));
  TargetDirectory::open(path, CancelToken()).roll_back();
  CHECK(text_of(path / "x" / "__init__.py") == "MARKER = '1.0'\n");
  CHECK(TargetDirectory::open(path, CancelToken()).records().at("x").version == "1.0");
  CHECK_FALSE(fs::exists(path / "x-2.0.dist-info"));
}

TEST_CASE("a stage that was not swapped in leaves nothing") {
  const venvoy::test::TemporaryDir folder;
  const Source one{folder.path() / "one", "1.0"};
  const fs::path path = folder.path() / "target";
  {
    const TargetDirectory target = TargetDirectory::open(path, CancelToken());
    const auto stage = target.stage(one.files());
    CHECK(fs::exists(stage.path() / "x" / "__init__.py"));
  }
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path)) names.push_back(entry.path().filename());
  CHECK(names == std::vector<std::string>{".venvoy.lock"});
}

TEST_CASE("the first set has none before it") {
  const venvoy::test::TemporaryDir folder;
  const fs::path path = folder.path() / "target";
  install(path, {folder.path() / "one", "1.0"});
  CHECK_THROWS_AS(TargetDirectory::open(path, CancelToken()).roll_back(), Error);
}
