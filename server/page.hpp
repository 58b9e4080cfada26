// The page at `/`: what runs now, history, rules and decisions. Plain files of this folder, compiled in.
#pragma once

#include <optional>
#include <string>

#include "server/http.hpp"

namespace venvoy::server {

// The page, its script and its style; nothing for every other path.
std::optional<HttpResponse> page_file(const std::string& path);

}  // namespace venvoy::server
