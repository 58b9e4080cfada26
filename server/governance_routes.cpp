#include "server/governance_routes.hpp"

#include <charconv>

#include <fmt/format.h>

#include "base/text.hpp"
#include "governance/execution_mode.hpp"
#include "os/files.hpp"
#include "os/on_pool.hpp"
#include "schema/json.hpp"
#include "server/access.hpp"

namespace venvoy::server {

namespace asio = boost::asio;

namespace {

using governance::Reply;
using schema::Kind;
using schema::Map;
using schema::Value;

constexpr schema::JsonLimits body_limits{std::size_t{8} << 20, 100};
constexpr std::size_t max_decisions = 1000;

std::string text_member(const Value& body, std::string_view key) {
  const Value* value = body.find(key);
  if (!value || value->is_null()) return {};
  if (value->kind() != Kind::text) throw Error(ErrorCode::usage, fmt::format("'{}' must be a text", key));
  return value->as_text();
}

Value object_member(const Value& body, std::string_view key) {
  const Value* value = body.find(key);
  if (!value || value->is_null()) return Map();
  if (value->kind() != Kind::map) throw Error(ErrorCode::usage, fmt::format("'{}' must be an object", key));
  return *value;
}

// `"8"`, or 8. Throws an Error (usage).
std::optional<std::int64_t> expected_revision(const HttpRequest& request) {
  std::string_view text = request.header("if-match");
  if (text.empty() || text == "*") return std::nullopt;
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  std::int64_t revision = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), revision);
  if (problem != std::errc() || end != text.data() + text.size())
    throw Error(ErrorCode::usage, "'If-Match' is no revision of the rules");
  return revision;
}

// An id that the client gives is kept if it is harmless.
std::string request_id_of(const HttpRequest& request) {
  const std::string& given = request.header("x-request-id");
  bool good = !given.empty() && given.size() <= 128;
  for (const char symbol : given) good = good && symbol > ' ' && symbol < 127;
  return good ? given : "r-" + os::random_name();
}

bool wants_old_form(const HttpRequest& request) {
  return request.header("x-governance-compat") == "aios";
}

}  // namespace

HttpResponse to_response(const Reply& reply) {
  HttpResponse response;
  response.status = reply.status;
  response.body = schema::write_json(reply.body, {.indent = 0}) + "\n";
  return response;
}

Value read_body(const HttpRequest& request) {
  return schema::read_json(request.body, "body", body_limits);
}

std::size_t number_parameter(const HttpRequest& request, std::string_view name, std::size_t otherwise,
                             std::size_t greatest) {
  const std::string& text = request.parameter(name);
  if (text.empty()) return otherwise;
  std::size_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size() || number > greatest)
    throw Error(ErrorCode::usage, fmt::format("'{}' is a number up to {}", name, greatest));
  return number;
}

asio::awaitable<std::optional<HttpResponse>> GovernanceRoutes::answer(const FoundRoute& route,
                                                                      const HttpRequest& request, std::string actor) {
  const std::string first = route.arguments.empty() ? std::string() : route.arguments[0];
  const std::string second = route.arguments.size() < 2 ? std::string() : route.arguments[1];
  std::optional<HttpResponse> response;
  switch (route.operation) {
    case Operation::get_rules:
      response = get_rules(request);
      break;
    case Operation::update_rules:
      response = co_await update(request, actor);
      break;
    case Operation::check: {
      const std::string& wish = request.parameter("dry_run");
      const bool dry_run = wish == "true" || wish == "1";
      response = co_await check(request, actor, first, dry_run, second);
      break;
    }
    case Operation::dry_run:
      response = co_await check(request, actor, first, true, second);
      break;
    case Operation::execute:
      response = co_await execute(request);
      break;
    case Operation::manage:
      response = co_await manage(request, first);
      break;
    case Operation::list_decisions:
      response = co_await decisions(request);
      break;
    case Operation::show_rules:
      response = show_rules();
      break;
    case Operation::get_mode:
    case Operation::set_mode:
      response = co_await mode(request);
      break;
    default:
      break;
  }
  co_return response;
}

HttpResponse GovernanceRoutes::get_rules(const HttpRequest& request) const {
  const std::string& cluster = request.parameter("cluster_id");
  if (!cluster.empty()) governance::check_cluster_id(cluster);
  return to_response(governance::map_reply(*runtime_.governor()->rules().read(), cluster));
}

asio::awaitable<HttpResponse> GovernanceRoutes::update(const HttpRequest& request, std::string actor) {
  governance::Governor::UpdateRequest wanted;
  wanted.cluster_id = request.parameter("cluster_id");
  wanted.body = read_body(request);
  wanted.verify = request.parameter("verify") != "false";
  wanted.expected_revision = expected_revision(request);
  wanted.actor = std::move(actor);
  const std::string cluster = wanted.cluster_id;
  governance::Governor& governor = *runtime_.governor();
  std::function<Reply(const CancelToken&)> work = [&governor, wanted, cluster](const CancelToken& token) {
    return governance::update_reply(governor.update(wanted, token), cluster);
  };
  const CancelToken never;
  const Reply reply = co_await os::on_pool<Reply>(runtime_.pool(), never, std::move(work));
  co_return to_response(reply);
}

asio::awaitable<HttpResponse> GovernanceRoutes::check(const HttpRequest& request, std::string actor, std::string action,
                                                      bool dry_run, std::string cluster_id) {
  const Value body = read_body(request);
  const Value* input = body.find("input");
  if (!input) throw Error(ErrorCode::usage, "the body needs an object 'input'");
  governance::ActionQuestion question;
  question.action = governance::require_action(action).name;
  question.cluster_id = text_member(body, "cluster_id");
  if (question.cluster_id.empty()) question.cluster_id = std::move(cluster_id);
  question.input = *input;
  question.actor = actor;
  question.request_id = request_id_of(request);
  question.dry_run = dry_run;
  const std::string request_id = question.request_id;
  const std::string name = question.action;
  const CancelToken never;
  const governance::Decision decision = co_await runtime_.governor()->decide(std::move(question), never);
  Reply reply = wants_old_form(request) ? governance::compatible_reply(decision) : governance::decision_reply(decision);
  if (decision.outcome == governance::Outcome::allow) {
    Map answer = reply.body.take_map();
    const bool execute = !dry_run && bound_.has(name);
    answer.set("executed", execute);
    if (execute) {
      Value decided = decision.input;
      const std::string run = co_await bound_.start(name, std::move(decided), actor, request_id);
      answer.set("run", run);
    }
    reply.body = std::move(answer);
  }
  HttpResponse response = to_response(reply);
  response.headers.emplace_back("X-Request-Id", request_id);
  co_return response;
}

asio::awaitable<HttpResponse> GovernanceRoutes::execute(const HttpRequest& request) {
  const Value body = read_body(request);
  governance::PolicyQuestion question;
  question.id = governance::RuleId::parse(text_member(body, "policy_rule_uri"));
  question.parameters = object_member(body, "parameters");
  const Value* input = body.find("input_data");
  if (!input) throw Error(ErrorCode::usage, "the body needs 'input_data'");
  question.input = *input;
  const CancelToken never;
  const governance::Evaluation evaluation = co_await runtime_.governor()->evaluate(std::move(question), never);
  co_return to_response(governance::executor_reply(evaluation));
}

asio::awaitable<HttpResponse> GovernanceRoutes::manage(const HttpRequest& request, std::string rule_id) {
  const Value body = read_body(request);
  governance::PolicyQuestion question;
  question.id = governance::RuleId::parse(rule_id);
  question.management = text_member(body, "action");
  question.input = object_member(body, "data");
  const CancelToken never;
  const governance::Evaluation evaluation = co_await runtime_.governor()->evaluate(std::move(question), never);
  Reply reply = governance::executor_reply(evaluation);
  Map answer = reply.body.take_map();
  answer.set("stateful", false);
  reply.body = std::move(answer);
  co_return to_response(reply);
}

asio::awaitable<HttpResponse> GovernanceRoutes::decisions(const HttpRequest& request) {
  const std::size_t limit = number_parameter(request, "limit", 100, max_decisions);
  const std::string action = request.parameter("action");
  const std::string outcome = request.parameter("outcome");
  governance::Governor& governor = *runtime_.governor();
  std::function<Reply(const CancelToken&)> work = [&governor, limit, action, outcome](const CancelToken&) {
    const auto suits = [&](const Value& record) {
      const auto is = [&record](const char* key, const std::string& wanted) {
        const Value* value = record.find(key);
        return wanted.empty() || (value && value->kind() == Kind::text && value->as_text() == wanted);
      };
      return is("action", action) && is("outcome", outcome);
    };
    schema::List list;
    for (Value& record : governor.log().read(limit, suits)) list.push_back(std::move(record));
    return Reply{200, Map({{"success", true}, {"decisions", std::move(list)}})};
  };
  const CancelToken never;
  const Reply reply = co_await os::on_pool<Reply>(runtime_.pool(), never, std::move(work));
  co_return to_response(reply);
}

HttpResponse GovernanceRoutes::show_rules() const {
  const auto map = runtime_.governor()->rules().read();
  Map clusters;
  for (const auto& [id, rules] : map->clusters) clusters.set(id, governance::to_value_with_authors(rules));
  schema::List actions;
  for (const governance::Action& action : governance::all_actions()) actions.emplace_back(action.name);
  return to_response({200, Map({{"success", true},
                                {"revision", map->revision},
                                {"network", governance::to_value_with_authors(map->network)},
                                {"clusters", std::move(clusters)},
                                {"actions", std::move(actions)}})});
}

asio::awaitable<HttpResponse> GovernanceRoutes::mode(const HttpRequest& request) {
  const governance::Settings& settings = runtime_.governor()->settings();
  std::optional<governance::StoredMode> wanted;
  if (request.method == "POST") {
    const Value body = read_body(request);
    const std::string word = text_member(body, "mode");
    if (word.empty()) throw Error(ErrorCode::usage, "the body needs 'mode': local or remote");
    wanted = governance::StoredMode{governance::mode_from(word, "the request"), text_member(body, "executor_id")};
    if (wanted->mode == governance::Mode::remote) {
      if (wanted->executor_id.empty()) wanted->executor_id = settings.remote.executor_id;
      if (wanted->executor_id.empty()) throw Error(ErrorCode::usage, "the remote mode needs an 'executor_id'");
      if (settings.remote.host.empty()) throw Error(ErrorCode::usage, "the configuration names no remote host");
    }
  }
  std::function<Reply(const CancelToken&)> work = [&settings, wanted](const CancelToken&) {
    if (wanted) governance::write_stored_mode(settings, *wanted);
    const governance::ModeInForce mode = governance::mode_in_force(settings);
    Map body({{"success", true}, {"mode", to_text(mode.mode)}, {"decided_by", mode.decided_by}});
    if (mode.mode == governance::Mode::remote) body.set("executor_id", mode.executor_id);
    if (wanted && settings.environment_mode)
      body.set("warning", "POLICY_EXECUTION_MODE fixes the mode: the switch has no effect while it is set");
    return Reply{200, std::move(body)};
  };
  const CancelToken never;
  const Reply reply = co_await os::on_pool<Reply>(runtime_.pool(), never, std::move(work));
  co_return to_response(reply);
}

}  // namespace venvoy::server
