#include "cli/package_workshop.hpp"

#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace venvoy::cli {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

asio::awaitable<venv::Settings> settings_of(api::Runtime& runtime) {
  co_return runtime.parts().settings;
}

asio::awaitable<std::shared_ptr<cache::WorkDir>> make_folder(api::Runtime& runtime) {
  const api::Runtime::Parts parts = runtime.parts();
  co_return std::make_shared<cache::WorkDir>(parts.workshop.store.make_work_dir());
}

asio::awaitable<venv::ReadyEnvPtr> get_environment(api::Runtime& runtime, source::ModuleRef reference,
                                                   const contract::Contract& contract, venv::Settings settings,
                                                   venv::GetContext context) {
  const api::Runtime::Parts parts = runtime.parts();
  venv::ReadyEnvPtr environment = co_await parts.workshop.environments->get(std::move(reference), contract,
                                                                            std::move(settings), std::move(context));
  co_return environment;
}

asio::awaitable<rucio::GitMeaning> look_up_commit(api::Runtime& runtime, source::GitRef reference,
                                                  source::ResolveOptions options, std::optional<fs::path> target) {
  const api::Runtime::Parts parts = runtime.parts();
  source::ResolvedGit resolved = co_await parts.git.resolve(reference, options);
  rucio::GitMeaning meaning;
  meaning.commit = resolved.commit.text();
  meaning.kind = resolved.kind;
  meaning.name = resolved.reference;
  if (target) co_await parts.git.export_work_tree(std::move(resolved), *target, options);
  co_return meaning;
}

asio::awaitable<os::ProgramResult> run_in(api::Runtime& runtime, os::ProgramSpec spec, os::ProgramLimits limits,
                                          CancelToken cancel) {
  const api::Runtime::Parts parts = runtime.parts();
  os::ProgramResult result = co_await os::run_program(parts.keeper, std::move(spec), limits, cancel);
  co_return result;
}

}  // namespace

PackageWorkshop::PackageWorkshop(Session& session, const CommonOptions&, const Talk& talk,
                                 const std::vector<std::string>& find_links)
    : session_(session),
      talk_(talk),
      progress_([&talk](std::string_view text) { talk.line(text); }, system_clock()),
      environment_(os::current_environment()),
      settings_(session.runtime().wait_for(settings_of(session.runtime()))) {
  for (const std::string& place : find_links)
    settings_.find_links.push_back(place.find("://") == std::string::npos ? fs::absolute(place).string() : place);
}

PackageWorkshop::~PackageWorkshop() = default;

venv::ReadyEnvPtr PackageWorkshop::environment(const source::ModuleRef& reference,
                                               std::optional<std::vector<std::string>> dependencies,
                                               const fs::path& python) {
  venv::Settings settings = settings_;
  if (!python.empty()) settings.python_path = python.string();
  settings.dependencies = std::move(dependencies);
  venv::GetContext context;
  context.logger = talk_.logger();
  context.progress = &progress_;
  context.cancel = session_.cancel_token();
  api::Runtime& runtime = session_.runtime();
  return runtime.wait_for(get_environment(runtime, reference, contract_, std::move(settings), std::move(context)));
}

rucio::GitMeaning PackageWorkshop::git(const source::GitRef& reference, std::optional<fs::path> target) {
  source::ResolveOptions options;
  options.allow_network = !settings_.offline;
  // What is read now is what the server has now; what was installed is known.
  options.refresh = target.has_value() && !settings_.offline;
  options.cancel = session_.cancel_token();
  api::Runtime& runtime = session_.runtime();
  return runtime.wait_for(look_up_commit(runtime, reference, std::move(options), std::move(target)));
}

os::ProgramResult PackageWorkshop::run(os::ProgramSpec spec, os::ProgramLimits limits) {
  api::Runtime& runtime = session_.runtime();
  return runtime.wait_for(run_in(runtime, std::move(spec), limits, session_.cancel_token()));
}

fs::path PackageWorkshop::python() {
  const auto found = [&](const std::string& name) { return os::find_program(name, environment_); };
  if (settings_.python_path) {
    if (const auto program = found(*settings_.python_path)) return fs::absolute(*program);
  } else {
    for (const char* name : {"python3", "python", "/usr/bin/python3"})
      if (const auto program = found(name)) return fs::absolute(*program);
  }
  throw Error(ErrorCode::environment, fmt::format("there is no Python '{}'", settings_.python_path.value_or("python3")))
      .with_hint("name one with --python");
}

fs::path PackageWorkshop::new_folder() {
  if (!folder_) folder_ = std::move(*session_.runtime().wait_for(make_folder(session_.runtime())));
  const fs::path folder = folder_->path() / std::to_string(folders_++);
  fs::create_directory(folder);
  return folder;
}

std::string package_reference(const std::string& text, const std::string& context) {
  std::error_code ignored;
  const fs::path path = fs::path(context) / text;
  const bool is_path = text == "." || text == ".." || text.starts_with("./") || text.starts_with("../");
  const bool is_there = text.find('@') == std::string::npos && text.find("==") == std::string::npos &&
                        (fs::is_directory(path, ignored) || (text.ends_with(".whl") && fs::exists(path, ignored)));
  if (!is_path && !is_there) return text;
  std::string absolute = fs::absolute(path).lexically_normal().string();
  if (absolute.size() > 1 && absolute.ends_with('/')) absolute.pop_back();
  return absolute;
}

}  // namespace venvoy::cli
