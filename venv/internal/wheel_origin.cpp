// The file of a wheel that somebody has built: the hash of the file is its version.
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "cache/file_sha256.hpp"
#include "os/on_pool.hpp"
#include "venv/internal/origin.hpp"
#include "venv/internal/run_installer.hpp"
#include "venv/internal/scratch.hpp"

namespace venvoy::venv::internal {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

class WheelOrigin final : public Origin {
 public:
  WheelOrigin(fs::path file, std::string hash) : file_(std::move(file)) {
    kind = "path";
    version = std::move(hash);
    inputs = {{"kind", "wheel"}, {"sha256", version}};
    facts["path"] = file_.string();
    facts["tree"] = version;
  }

  std::string requirement() const override { return file_.string(); }
  asio::awaitable<Project> export_project(const Job&, fs::path) const override {
    throw Error(ErrorCode::internal, "a wheel has no project");
    co_return Project{};
  }

 private:
  fs::path file_;
};

std::vector<std::string> list_in(const nlohmann::json& object, const char* name) {
  std::vector<std::string> texts;
  for (const nlohmann::json& text : object.value(name, nlohmann::json::array()))
    if (text.is_string()) texts.push_back(text.get<std::string>());
  return texts;
}

asio::awaitable<contract::PackageFacts> read_wheel(const Job& job, fs::path file, fs::path scratch) {
  InterpreterWish wish{job.settings.python_path, {}, job.shown, Logger()};  // any can read metadata
  const Interpreter python = co_await job.interpreters.find(std::move(wish), job.cancel);
  // A folder with this wheel alone.
  Work<bool> link = [&](const CancelToken&) {
    fs::create_symlink(file, scratch / file.filename());
    return true;
  };
  co_await os::on_pool<bool>(job.services.pool, job.cancel, std::move(link));
  const nlohmann::json found = co_await list_distributions(job, python.program, scratch);
  if (found.size() != 1)
    throw Error(ErrorCode::install, fmt::format("the wheel '{}' holds no sensible metadata", file.string()));
  const nlohmann::json& one = found.front();
  contract::PackageFacts facts;
  facts.name = text_in(one, "name");
  facts.version = text_in(one, "version");
  facts.classifiers = list_in(one, "classifiers");
  facts.keywords = list_in(one, "keywords");
  facts.metadata_files = list_in(one, "metadata_files");
  co_return facts;
}

struct SeenWheel {
  fs::path file;
  std::string hash;
};

}  // namespace

bool is_wheel_file(const source::LocalRef& reference) {
  return reference.path.extension() == ".whl";
}

asio::awaitable<OriginPtr> find_wheel_origin(const Job& job, source::LocalRef reference) {
  Work<SeenWheel> look = [&](const CancelToken&) {
    std::error_code error;
    const fs::path file = fs::canonical(reference.path, error);
    if (error || !fs::is_regular_file(file, error))
      throw Error(ErrorCode::unresolvable, fmt::format("there is no wheel '{}'", reference.path.string()));
    const auto hash = cache::sha256_of_file(file);
    if (!hash) throw Error(ErrorCode::io, fmt::format("the wheel '{}' cannot be read", file.string()));
    return SeenWheel{file, *hash};
  };
  const SeenWheel seen = co_await os::on_pool<SeenWheel>(job.services.pool, job.cancel, std::move(look));
  std::function<asio::awaitable<contract::PackageFacts>(fs::path)> read = [&](fs::path scratch) {
    return read_wheel(job, seen.file, std::move(scratch));
  };
  const contract::PackageFacts facts = co_await with_scratch<contract::PackageFacts>(job, read);
  OriginPtr origin = std::make_unique<WheelOrigin>(seen.file, seen.hash);
  origin->resolution = plan_resolution(job.settings.dependency_resolution, {}, job.shown);
  enforce(job, job.contract.judge_package(facts), facts.name, fmt::format("wheel {}", seen.file.filename().string()));
  co_return origin;
}

}  // namespace venvoy::venv::internal
