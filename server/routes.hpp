// Every route of the daemon, once: requests are led by this table, and docs/openapi.json is written from it
// (spec/governance.md 8.7, 8.8, 8.13, 8.14).
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/request.hpp"

namespace venvoy::server {

enum class Operation {
  page,
  page_script,
  page_style,
  health,
  metrics,
  get_rules,
  update_rules,
  check,
  dry_run,
  execute,
  manage,
  list_decisions,
  show_rules,
  get_mode,
  set_mode,
  submit_run,
  list_runs,
  get_run,
  watch_run,
  draw_run,
  cancel_run,
};

struct Route {
  Operation operation;
  std::string_view method;
  std::string_view path;  // "/v1/runs/{run}": a name in braces stands for one segment
  std::string_view summary;
  std::vector<std::string_view> query;    // names of what may stand behind the '?'
  std::vector<std::string_view> headers;  // names of those that mean something here
  std::string_view body;                  // name of its schema; empty: there is none
  // By status, a schema's name or, with a '/', a media type; empty: nothing but the status. Refusals that every route
  // has (400, 401, 403 of another site, 404, 503) are not repeated.
  std::vector<std::pair<int, std::string_view>> answers;
};

std::span<const Route> all_routes();

struct FoundRoute {
  Operation operation;
  // What stands for the names in braces, in their order.
  std::vector<std::string> arguments;
};
// Nothing if no route suits. A HEAD is led as the GET of the same path.
std::optional<FoundRoute> find_route(const HttpRequest& request);

}  // namespace venvoy::server
