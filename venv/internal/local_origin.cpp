// A plugin under development: the hash of its tree is its version.
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "os/files.hpp"
#include "os/on_pool.hpp"
#include "venv/internal/local_tree.hpp"
#include "venv/internal/origin.hpp"
#include "venv/internal/pyproject.hpp"

namespace venvoy::venv::internal {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

class LocalOrigin final : public Origin {
 public:
  LocalOrigin(fs::path folder, std::string tree) : folder_(std::move(folder)) {
    kind = "path";
    version = std::move(tree);
    inputs = {{"kind", "path"}, {"tree", version}};
    facts["path"] = folder_.string();
    facts["tree"] = version;
  }

  asio::awaitable<Project> export_project(const Job& job, fs::path target) const override {
    Work<Project> copy = [this, &target](const CancelToken& cancel) {
      if (copy_tree(folder_, target, cancel) != version)
        throw Error(ErrorCode::install, fmt::format("'{}' was changed while it was read", folder_.string()))
            .with_hint("run it again");
      return Project{target, std::nullopt};
    };
    Project project = co_await os::on_pool<Project>(job.services.pool, job.cancel, std::move(copy));
    co_return project;
  }

 private:
  fs::path folder_;
};

struct Seen {
  fs::path folder;
  std::string tree;
  PythonRequirement needs;
};

std::string text_in_folder(const fs::path& folder, const char* name) {
  try {
    return os::read_file_if_there(folder / name, max_project_file).value_or("");
  } catch (const Error&) {
    return {};  // then the installer says what is wrong with it
  }
}

Seen look_at(const Job& job, const fs::path& path, const CancelToken& cancel) {
  std::error_code error;
  const fs::path folder = fs::canonical(path, error);
  if (error || !fs::is_directory(folder, error))
    throw Error(ErrorCode::unresolvable, fmt::format("there is no folder '{}'", path.string()))
        .with_hint("a path in a reference is that of a plugin's folder, the one with its pyproject.toml");
  // Judged first: a folder that is none of a plugin need not be read.
  enforce(job, job.contract.judge_folder(folder), folder.filename(), fmt::format("folder {}", path.string()));
  return {folder, hash_tree(folder, cancel),
          python_requirement(text_in_folder(folder, "pyproject.toml"), text_in_folder(folder, "setup.cfg"))};
}

}  // namespace

asio::awaitable<OriginPtr> find_local_origin(const Job& job, source::LocalRef reference) {
  Work<Seen> look = [&](const CancelToken& cancel) { return look_at(job, reference.path, cancel); };
  Seen seen = co_await os::on_pool<Seen>(job.services.pool, job.cancel, std::move(look));
  OriginPtr origin = std::make_unique<LocalOrigin>(seen.folder, seen.tree);
  origin->resolution = plan_resolution(job.settings.dependency_resolution, {}, job.shown);
  origin->needs = seen.needs;
  co_return origin;
}

}  // namespace venvoy::venv::internal
