// One plugin made ready for a command that is about that plugin alone.
#pragma once

#include <memory>
#include <string>

#include "cli/session.hpp"
#include "deployer/deployer.hpp"

namespace venvoy::cli {

// By the configuration's Python deployer, with progress told to `talk` and the rest to `logger`. Throws what the
// deployer throws. The talk outlives the call.
std::shared_ptr<deployer::Plugin> prepare_plugin(Session& session, const std::string& reference, const Talk& talk,
                                                 Logger logger);

}  // namespace venvoy::cli
