#include "cli/state_folder.hpp"

#include <unistd.h>

#include "api/state_dir.hpp"
#include "base/error.hpp"
#include "os/environment.hpp"

namespace venvoy::cli {

namespace fs = std::filesystem;

fs::path state_folder(const CommonOptions& options) {
  if (options.state_dir) return fs::absolute(*options.state_dir).lexically_normal();
  if (const auto folder = api::default_state_dir(os::current_environment(), ::geteuid() == 0)) return *folder;
  throw Error(ErrorCode::environment, "there is no place for the history: neither HOME nor XDG_STATE_HOME is set")
      .with_hint("say --state-dir DIR, or --no-history");
}

}  // namespace venvoy::cli
