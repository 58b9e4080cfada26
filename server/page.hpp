// The page at `/`: what runs now, history, rules and decisions. Plain files of this folder, compiled in.
#pragma once

#include "server/http.hpp"
#include "server/routes.hpp"

namespace venvoy::server {

// The page, its script or its style.
HttpResponse page_file(Operation operation);

}  // namespace venvoy::server
