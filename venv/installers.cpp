#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/run_program.hpp"
#include "venv/installer.hpp"

namespace venvoy::venv {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

using Version = std::array<int, 3>;
// The first one with all options that we use.
constexpr Version oldest_uv = {0, 5, 0};
constexpr Version first_with_dates_of_packages = {0, 9, 0};
constexpr std::chrono::seconds answer_timeout{30};

// "uv 0.5.1 (…)" → "0.5.1"
std::string version_in(std::string_view answer) {
  constexpr std::string_view start = "uv ";
  if (!answer.starts_with(start)) return {};
  answer.remove_prefix(start.size());
  return std::string(answer.substr(0, answer.find_first_of(" \n")));
}

Version numbers_of(std::string_view version) {
  Version numbers = {};
  const char* place = version.data();
  const char* const end = place + version.size();
  for (int& number : numbers) {
    place = std::from_chars(place, end, number).ptr;
    if (place != end && *place == '.') ++place;
  }
  return numbers;
}

std::string oldest_uv_text() {
  return fmt::format("{}.{}.{}", oldest_uv[0], oldest_uv[1], oldest_uv[2]);
}

}  // namespace

asio::awaitable<Installers::Uv> Installers::find_uv(CancelToken cancel) {
  const std::string name = os::get_variable(environment_, "VENVOY_UV").value_or("uv");
  auto program = os::find_program(name, environment_);
  if (!program && name == "uv") {
    const fs::path beside_keeper = os::find_keeper_program().parent_path() / name;
    if (fs::exists(beside_keeper)) program = beside_keeper;
  }
  if (!program)
    co_return Uv{nullptr, name == "uv" ? "it is neither in PATH nor beside venvoy-keeper"
                                       : fmt::format("there is no '{}'", name)};
  os::ProgramSpec spec;
  spec.program = fs::absolute(*program);
  spec.arguments = {"--version"};
  spec.environment = environment_;
  spec.working_directory = "/";
  os::ProgramLimits limits;
  limits.timeout = answer_timeout;
  const os::ProgramResult result = co_await os::run_program(keeper_, std::move(spec), limits, cancel);
  const std::string version = version_in(result.output);
  if (!result.exit.ok() || version.empty())
    co_return Uv{nullptr, fmt::format("'{} --version': {}", program->string(), result.exit.text())};
  if (numbers_of(version) < oldest_uv)
    co_return Uv{nullptr, fmt::format("'{}' is version {}, and at least {} is needed", program->string(), version,
                                      oldest_uv_text())};
  co_return Uv{make_uv_installer(fs::absolute(*program), version, numbers_of(version) >= first_with_dates_of_packages),
               ""};
}

asio::awaitable<std::shared_ptr<const Installer>> Installers::choose(InstallerChoice choice, Logger logger,
                                                                     CancelToken cancel) {
  if (choice == InstallerChoice::pip) co_return make_pip_installer(os::find_support_file("run_pip.py"));
  if (!uv_) {
    Uv found = co_await find_uv(cancel);
    uv_ = std::move(found);
  }
  if (uv_->installer) co_return uv_->installer;
  if (choice == InstallerChoice::uv)
    throw Error(ErrorCode::environment, fmt::format("the installer uv cannot be used: {}", uv_->trouble))
        .with_hint("install uv, or choose `installer: pip` in the Python deployer's configuration");
  logger.debug("packages are installed by pip, uv cannot be used: {}", uv_->trouble);
  co_return make_pip_installer(os::find_support_file("run_pip.py"));
}

}  // namespace venvoy::venv
