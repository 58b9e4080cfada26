// What the daemon answers about policies.
#pragma once

#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "api/runtime.hpp"
#include "governance/replies.hpp"
#include "server/http.hpp"
#include "server/routes.hpp"

namespace venvoy::server {

// Runs the workflow that an action is bound to (spec/governance.md 8.8); implemented by whoever has the runs.
class BoundWorkflows {
 public:
  virtual ~BoundWorkflows() = default;
  // Whether the action is bound; then start() gives the id of the run, and completes when the run has begun.
  virtual bool has(const std::string& action) const = 0;
  virtual boost::asio::awaitable<std::string> start(std::string action, schema::Value input, std::string actor,
                                                    std::string request_id) = 0;
};

class GovernanceRoutes {
 public:
  // Everything outlives this object.
  GovernanceRoutes(api::Runtime& runtime, BoundWorkflows& bound) : runtime_(runtime), bound_(bound) {}

  // Nothing if the operation is not one of these. Throws an Error for what error_reply() knows to answer.
  boost::asio::awaitable<std::optional<HttpResponse>> answer(const FoundRoute& route, const HttpRequest& request,
                                                             std::string actor);

 private:
  boost::asio::awaitable<HttpResponse> update(const HttpRequest& request, std::string actor);
  boost::asio::awaitable<HttpResponse> check(const HttpRequest& request, std::string actor, std::string action,
                                             bool dry_run, std::string cluster_id);
  boost::asio::awaitable<HttpResponse> execute(const HttpRequest& request);
  boost::asio::awaitable<HttpResponse> manage(const HttpRequest& request, std::string rule_id);
  boost::asio::awaitable<HttpResponse> decisions(const HttpRequest& request);
  HttpResponse get_rules(const HttpRequest& request) const;
  HttpResponse show_rules() const;
  boost::asio::awaitable<HttpResponse> mode(const HttpRequest& request);

  api::Runtime& runtime_;
  BoundWorkflows& bound_;
};

// A reply with the status and JSON of the governance folder.
HttpResponse to_response(const governance::Reply& reply);
// The body as JSON under the limits of foreign input. Throws an Error (document).
schema::Value read_body(const HttpRequest& request);
// A number of a query, `otherwise` if it is not there. Throws an Error (usage).
std::size_t number_parameter(const HttpRequest& request, std::string_view name, std::size_t otherwise,
                             std::size_t greatest);

}  // namespace venvoy::server
