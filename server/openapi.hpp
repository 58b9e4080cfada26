// The document about the daemon's routes, for programs that make clients of it (spec/governance.md 8.13).
#pragma once

#include <string_view>

#include "schema/value.hpp"

namespace venvoy::server {

// OpenAPI 3.1: every route of all_routes(), with the inputs of all actions. `version` is that of the program.
schema::Value openapi_document(std::string_view version);

}  // namespace venvoy::server
