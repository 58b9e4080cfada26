#include "server/daemon.hpp"

#include <chrono>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/text.hpp"
#include "governance/replies.hpp"
#include "schema/json.hpp"
#include "server/governance_routes.hpp"
#include "server/page.hpp"
#include "server/runs.hpp"

namespace venvoy::server {

namespace asio = boost::asio;

namespace {

using schema::Map;
using schema::Value;

std::string label_text(std::string_view text) {
  std::string result;
  for (const char symbol : text) {
    if (symbol == '\\' || symbol == '"') result += '\\';
    result += symbol == '\n' ? ' ' : symbol;
  }
  return result;
}

std::uint64_t resident_bytes() {
  std::uint64_t pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    unsigned long total = 0;
    unsigned long resident = 0;
    if (std::fscanf(file, "%lu %lu", &total, &resident) == 2) pages = resident;
    std::fclose(file);
  }
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

struct Daemon::State final : HttpHandler {
  State(api::Runtime& given, DaemonOptions given_options)
      : runtime(given),
        options(std::move(given_options)),
        logger(runtime.options().logger.with("source", "server")),
        runs(runtime, runs_options(options)),
        routes(runtime, runs),
        started(std::chrono::steady_clock::now()) {
    if (options.trust_loopback && !options.address.is_loopback())
      throw Error(ErrorCode::usage, "--trust-loopback is for loopback addresses only");
    token = read_or_make_token(options.state_dir);
    server.emplace(runtime.executor(), options.address, *this, logger);
    if (options.address.socket.empty()) options.address.port = server->port();
    access.emplace(Access::Options{options.address, token, options.trust_loopback});
  }

  static RunsOptions runs_options(const DaemonOptions& options) {
    RunsOptions result;
    result.state_dir = options.state_dir;
    result.workflows = options.workflows;
    result.allow_local = options.allow_local;
    result.version = options.version;
    return result;
  }

  std::optional<HttpResponse> refuse(const HttpRequest& head) override {
    if (auto refused = access->refuse(head)) {
      ++refusals;
      return refused;
    }
    return std::nullopt;
  }

  asio::awaitable<HttpResponse> handle(HttpRequest request) override {
    const std::optional<FoundRoute> route = find_route(request);
    if (!route) {
      const std::string message =
          fmt::format("there is nothing at {} {}", request.method, to_valid_utf8(request.path.substr(0, 200)));
      co_return refusal(404, "unknown", message);
    }
    std::optional<HttpResponse> response = fixed(route->operation, request);
    const std::string actor = access->actor(request);
    governance::Reply failure;
    try {
      if (!response) response = co_await routes.answer(*route, request, actor);
      if (!response) response = co_await runs.answer(*route, request, actor);
    } catch (const Error& error) {
      failure = governance::error_reply(error);
    }
    if (response) co_return std::move(*response);
    co_return to_response(failure);
  }

  std::optional<HttpResponse> fixed(Operation operation, const HttpRequest& request) const {
    HttpResponse response;
    switch (operation) {
      case Operation::page:
        if (auto welcome = access->welcome(request)) return welcome;
        return page_file(operation);
      case Operation::page_script:
      case Operation::page_style:
        return page_file(operation);
      case Operation::health:
        response.body = "{\"status\":\"ok\"}\n";
        return response;
      case Operation::metrics:
        response.content_type = "text/plain; version=0.0.4; charset=utf-8";
        response.body = metrics();
        return response;
      default:
        return std::nullopt;
    }
  }

  std::string metrics() const {
    std::string text;
    const auto begin = [&text](const char* name, const char* type, const char* help) {
      text += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
    };
    const governance::GovernorCounts& counts = runtime.governor()->counts();
    begin("venvoy_decisions_total", "counter", "Decisions by action and outcome.");
    for (const auto& [key, count] : counts.decisions)
      text += fmt::format("venvoy_decisions_total{{action=\"{}\",outcome=\"{}\"}} {}\n", label_text(key.first),
                          label_text(key.second), count);
    begin("venvoy_evaluations_total", "counter", "Rules that were evaluated.");
    text += fmt::format("venvoy_evaluations_total {}\n", counts.evaluations);
    begin("venvoy_evaluation_seconds_total", "counter", "Time spent on evaluations.");
    text += fmt::format("venvoy_evaluation_seconds_total {:.6f}\n", static_cast<double>(counts.microseconds) / 1e6);
    begin("venvoy_http_requests_total", "counter", "Requests that were read.");
    text += fmt::format("venvoy_http_requests_total {}\n", server->requests());
    begin("venvoy_http_refused_total", "counter", "Requests without the right to be answered.");
    text += fmt::format("venvoy_http_refused_total {}\n", refusals);
    begin("venvoy_http_connections", "gauge", "Open connections.");
    text += fmt::format("venvoy_http_connections {}\n", server->connections());
    begin("venvoy_runs", "gauge", "Runs by state, as far as they are remembered.");
    for (const auto& [state, count] : runs.count())
      text += fmt::format("venvoy_runs{{state=\"{}\"}} {}\n", label_text(state), count);
    begin("venvoy_resident_memory_bytes", "gauge", "Memory of this process.");
    text += fmt::format("venvoy_resident_memory_bytes {}\n", resident_bytes());
    begin("venvoy_uptime_seconds", "gauge", "Time since the start.");
    text += fmt::format(
        "venvoy_uptime_seconds {}\n",
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started).count());
    return text;
  }

  api::Runtime& runtime;
  DaemonOptions options;
  Logger logger;
  std::string token;
  std::optional<Access> access;
  Runs runs;
  GovernanceRoutes routes;
  std::optional<HttpServer> server;
  std::uint64_t refusals = 0;
  std::chrono::steady_clock::time_point started;
};

Daemon::Daemon(api::Runtime& runtime, DaemonOptions options)
    : state_(std::make_unique<State>(runtime, std::move(options))) {}

Daemon::~Daemon() = default;

std::string Daemon::address() const {
  const ListenAddress& address = state_->options.address;
  if (!address.socket.empty()) return "unix:" + address.socket.string();
  const bool v6 = address.host.find(':') != address.host.npos;
  return fmt::format("http://{}:{}", v6 ? "[" + address.host + "]" : address.host, address.port);
}

std::string Daemon::page_address() const {
  if (!state_->options.address.socket.empty()) return {};
  return fmt::format("{}/?token={}", address(), state_->token);
}

asio::awaitable<void> Daemon::serve() {
  co_await state_->server->serve();
  co_await state_->runs.stop();
}

void Daemon::stop() {
  state_->server->stop();
}

}  // namespace venvoy::server
