// Plugins to install: small projects whose build backend lies in them and needs nothing from an index.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace venvoy::test {

struct PluginProject {
  std::string name = "test-plugin";
  std::string version = "1.0";
  // What is in the wheel, path and contents; empty: the package `test_plugin`, which prints "hello" when it is run.
  std::vector<std::pair<std::string, std::string>> files = {};
  bool contract = true;  // the file
  // More lines of METADATA, such as "Requires-Dist: other".
  std::vector<std::string> metadata = {};
  // In the wheel's .dist-info.
  std::vector<std::string> metadata_files = {};
  // Appended to by any code of the project that runs while it is built.
  std::filesystem::path mark = {};
  // Python that runs when the wheel is built.
  std::string while_building = "pass";
  // [build-system] requires
  std::string build_requires = "";
};

void write_project(const std::filesystem::path& folder, const PluginProject& project = {});

// Its wheel, or its source archive, in the folder `output`; for an index that is a folder (findLinks).
void make_wheel(const std::filesystem::path& output, const PluginProject& project);
void make_source_archive(const std::filesystem::path& output, const PluginProject& project);

}  // namespace venvoy::test
