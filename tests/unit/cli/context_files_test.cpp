// Which files are read, and how they are called afterwards (spec/workflow.md 1.2).
#include "cli/context_files.hpp"

#include <fstream>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/temporary_dir.hpp"

namespace venvoy::cli {
namespace {

namespace fs = std::filesystem;

std::string error_of(const ContextFiles& files, const std::string& name) {
  try {
    files.read(name);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::io);
    return error.what();
  }
  return "";
}

TEST_CASE("Test_LoadContext: files and links to files are read, folders and links to folders are not") {
  const test::TemporaryDir context;
  fs::create_directory(context / "folder");
  std::ofstream(context / "folder" / "file.yaml") << "text";
  fs::create_symlink("file.yaml", context / "folder" / "link.yaml");
  fs::create_directory_symlink("folder", context / "linked");
  const ContextFiles files(context.path());
  for (const std::string name : {"folder/file.yaml", "folder/link.yaml", "linked/file.yaml"})
    CHECK(files.read(name).text == "text");
  for (const std::string name : {"folder", "linked", "absent.yaml"})
    CHECK_THAT(error_of(files, name), Catch::ContainsSubstring("error reading file " + (context / name).string()));
}

TEST_CASE("Test_NewFileCache: relative names start in the context directory, absolute ones stay") {
  const test::TemporaryDir context, elsewhere;
  fs::create_directory(context / "subdir");
  std::ofstream(context / "a.yaml") << "a";
  std::ofstream(elsewhere / "b.yaml") << "b";
  std::ofstream(context / "subdir" / "c.yaml") << "c";
  const ContextFiles files(context.path());
  struct Row {
    std::string name;
    std::string text;
    std::string shown;
  };
  const Row rows[] = {
      {"a.yaml", "a", (context / "a.yaml").string()},
      {(elsewhere / "b.yaml").string(), "b", (elsewhere / "b.yaml").string()},
      {"absent/../subdir/c.yaml", "c", (context / "subdir/c.yaml").string()},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    const auto file = files.read(row.name);
    CHECK(file.text == row.text);
    CHECK(file.name == row.shown);
    CHECK(files.text_of(row.shown) == row.text);
  }
  CHECK_FALSE(files.text_of("a.yaml"));
  CHECK_FALSE(files.text_of(""));
}

}  // namespace
}  // namespace venvoy::cli
