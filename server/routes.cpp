#include "server/routes.hpp"

namespace venvoy::server {
namespace {

const std::vector<Route>& table() {
  using enum Operation;
  static const std::vector<Route> routes = {
      {page, "GET", "/", "The page", {"token"}, {}, "", {{200, "text/html"}, {303, ""}}},
      {page_script, "GET", "/page.js", "The page's script", {}, {}, "", {{200, "text/javascript"}}},
      {page_style, "GET", "/page.css", "The page's style", {}, {}, "", {{200, "text/css"}}},
      {health, "GET", "/health", "Whether the daemon answers; needs no token", {}, {}, "", {{200, "Health"}}},
      {metrics, "GET", "/metrics", "Metrics as Prometheus reads them", {}, {}, "", {{200, "text/plain"}}},
      {get_rules,
       "GET",
       "/pre-check-policies/get",
       "The rules of the network or of a cluster",
       {"cluster_id"},
       {},
       "",
       {{200, "Rules"}}},
      {update_rules,
       "POST",
       "/pre-check-policies/update",
       "Merges rules: an id or an object sets, an empty text removes, what is absent stays",
       {"cluster_id", "verify"},
       {"If-Match"},
       "Update",
       {{200, "Updated"}, {412, "Refusal"}, {422, "Refusal"}}},
      {check,
       "POST",
       "/pre-checks/{action}",
       "Decides about an action, and runs the workflow that it is bound to",
       {"dry_run"},
       {"X-Governance-Compat", "X-Request-Id"},
       "Check",
       {{200, "Decision"}, {403, "Denial"}, {503, "Failure"}}},
      {dry_run,
       "POST",
       "/pre-check-policies/{action}/dry_run",
       "Decides about an action, and does nothing",
       {},
       {"X-Governance-Compat", "X-Request-Id"},
       "Check",
       {{200, "Decision"}, {403, "Denial"}, {503, "Failure"}}},
      {dry_run,
       "POST",
       "/pre-check-policies/{action}/dry_run/{cluster_id}",
       "The same, with the cluster's id in the path",
       {},
       {"X-Governance-Compat", "X-Request-Id"},
       "Check",
       {{200, "Decision"}, {403, "Denial"}, {503, "Failure"}}},
      {dry_run,
       "POST",
       "/pre-check-policies/{action}/dry_run/{cluster_id}/{node_id}",
       "The same; the node is that of the input",
       {},
       {"X-Governance-Compat", "X-Request-Id"},
       "Check",
       {{200, "Decision"}, {403, "Denial"}, {503, "Failure"}}},
      {execute,
       "POST",
       "/execute_policy",
       "Evaluates a policy here, as an executor",
       {},
       {},
       "Execution",
       {{200, "Executed"}, {404, "NotExecuted"}, {422, "NotExecuted"}, {504, "NotExecuted"}}},
      {execute,
       "POST",
       "/executor/{executor_id}/execute_policy",
       "The same; the id is not looked at",
       {},
       {},
       "Execution",
       {{200, "Executed"}, {404, "NotExecuted"}, {422, "NotExecuted"}, {504, "NotExecuted"}}},
      {manage,
       "POST",
       "/v1/policies/{rule_id}/management",
       "Gives a policy a management command",
       {},
       {},
       "Command",
       {{200, "Executed"}, {404, "NotExecuted"}, {422, "NotExecuted"}, {504, "NotExecuted"}}},
      {list_decisions,
       "GET",
       "/v1/decisions",
       "The newest decisions, oldest first",
       {"limit", "action", "outcome"},
       {},
       "",
       {{200, "Decisions"}}},
      {show_rules, "GET", "/v1/rules", "All rules, and who changed them", {}, {}, "", {{200, "AllRules"}}},
      {get_mode, "GET", "/v1/mode", "Where policies are evaluated", {}, {}, "", {{200, "Mode"}}},
      {set_mode, "POST", "/v1/mode", "Switches where policies are evaluated", {}, {}, "NewMode", {{200, "Mode"}}},
      {submit_run,
       "POST",
       "/v1/runs",
       "Runs a workflow, by text or by name",
       {},
       {},
       "Submission",
       {{201, "Submitted"}, {403, "Denial"}, {422, "Refusal"}}},
      {list_runs, "GET", "/v1/runs", "Runs, newest first", {"state", "limit"}, {}, "", {{200, "Runs"}}},
      {get_run, "GET", "/v1/runs/{run}", "A run with its steps and its result", {}, {}, "", {{200, "Run"}}},
      {watch_run,
       "GET",
       "/v1/runs/{run}/events",
       "The events of a run, as docs/events.schema.json says; ends with the run. Nothing left to send: 204",
       {"last_event_id"},
       {"Last-Event-ID"},
       "",
       {{200, "text/event-stream"}, {204, ""}}},
      {draw_run, "GET", "/v1/runs/{run}/graph.svg", "The graph of a run", {}, {}, "", {{200, "image/svg+xml"}}},
      {cancel_run,
       "POST",
       "/v1/runs/{run}/cancel",
       "Asks a run to end",
       {},
       {},
       "",
       {{202, "Cancelling"}, {403, "Denial"}, {409, "Refusal"}}},
  };
  return routes;
}

// The segments of a table's path against those of a request.
bool suits(std::string_view path, const std::vector<std::string>& segments, std::vector<std::string>& arguments) {
  std::size_t index = 0;
  while (!path.empty()) {
    path.remove_prefix(1);  // the '/'
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(part.size());
    if (part.empty()) break;  // of "/"
    if (index == segments.size()) return false;
    if (part.front() == '{')
      arguments.push_back(segments[index]);
    else if (part != segments[index])
      return false;
    ++index;
  }
  return index == segments.size();
}

}  // namespace

std::span<const Route> all_routes() {
  return table();
}

std::optional<FoundRoute> find_route(const HttpRequest& request) {
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  for (const Route& route : table()) {
    FoundRoute found{route.operation, {}};
    if (route.method == method && suits(route.path, request.segments, found.arguments)) return found;
  }
  return std::nullopt;
}

}  // namespace venvoy::server
