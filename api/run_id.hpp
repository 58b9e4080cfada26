// Names of runs.
#pragma once

#include <string>

namespace venvoy::api {

// A word that names a run: the time (UTC) and chance, "20260102T030405-k3f9ab".
std::string new_run_id();

}  // namespace venvoy::api
