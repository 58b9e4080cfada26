// What several artefacts share.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rucio/render.hpp"

namespace venvoy::rucio {

[[noreturn]] void refuse_package(const Package& package, const std::string& why, const std::string& hint = {});
[[noreturn]] void refuse_options(const std::string& why);

// `rucio/rucio-server:release-41.5.1`, with the registry. Throws (usage) without a host version.
std::string image_of(Part part, const RenderOptions& options);
// What the image starts by itself.
std::string entry_point_of(Part part);
// The lines that put POLICY_PKG_PATH into PYTHONPATH.
std::string path_script();

// `index`: of the package, for its VO.
std::string secret_name_of(const Package& package, std::size_t index, const RenderOptions& options);

// A folder of the module with its files, all of them names and contents; sorted.
struct SecretFolder {
  std::string folder;  // relative to the module, "" for itself
  std::vector<std::pair<std::string, std::string>> files;
};
std::vector<SecretFolder> secret_folders(const Package& package, const RenderOptions& options);
std::string secret_name_for(const std::string& base, const std::string& folder);
// Over all files of the module; the renewing job makes the same.
std::string content_of_folders(const std::vector<SecretFolder>& folders);

// The mount path without a '/' at its end.
std::string import_folder(const RenderOptions& options);

}  // namespace venvoy::rucio
