// Targets, routes, addresses and access.
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "server/access.hpp"
#include "server/openapi.hpp"
#include "server/routes.hpp"
#include "support/catch.hpp"

namespace venvoy::server {
namespace {

HttpRequest request_of(const std::string& method, const std::string& target) {
  HttpRequest request;
  request.method = method;
  REQUIRE(read_target(target, request));
  return request;
}

TEST_CASE("a target is split before it is decoded") {
  const HttpRequest request = request_of("GET", "/v1/a%2Fb/c%20d?x=1%26&y=a+b&z&=q");
  CHECK(request.segments == std::vector<std::string>{"v1", "a/b", "c d"});
  CHECK(request.parameter("x") == "1&");
  CHECK(request.parameter("y") == "a b");
  CHECK(request.query.contains("z"));
  CHECK(request.parameter("none").empty());
  HttpRequest ignored;
  for (const char* target : {"", "x", "*", "http://a/", "/%", "/%4", "/%zz", "/%00", "/%ff", "/a?b=%c3%28"})
    CHECK_FALSE(read_target(target, ignored));
}

TEST_CASE("requests find their routes") {
  struct Row {
    const char* method;
    const char* target;
    Operation operation;
    std::vector<std::string> arguments;
  };
  for (const Row& row :
       {Row{"GET", "/", Operation::page, {}}, Row{"HEAD", "/health", Operation::health, {}},
        Row{"POST", "/pre-checks/add_node?dry_run=true", Operation::check, {"add_node"}},
        Row{"POST", "/pre-check-policies/remove_node/dry_run/c1/n7", Operation::dry_run, {"remove_node", "c1", "n7"}},
        Row{"POST", "/executor/e%2F1/execute_policy", Operation::execute, {"e/1"}},
        Row{"GET", "/v1/runs", Operation::list_runs, {}}, Row{"POST", "/v1/runs", Operation::submit_run, {}},
        Row{"GET", "/v1/runs/r1/events", Operation::watch_run, {"r1"}}}) {
    INFO(row.method << " " << row.target);
    const auto found = find_route(request_of(row.method, row.target));
    REQUIRE(found);
    CHECK(found->operation == row.operation);
    CHECK(found->arguments == row.arguments);
  }
  for (const char* target : {"/v1", "/v1/runs/r1/events/x", "/pre-checks", "/pre-checks/a/b", "/nothing"})
    CHECK_FALSE(find_route(request_of("GET", target)));
  CHECK_FALSE(find_route(request_of("DELETE", "/v1/runs")));
}

TEST_CASE("the document has every route once") {
  const schema::Value document = openapi_document("1.2.3");
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const Route& route : all_routes()) {
    CHECK(seen.emplace(route.method, route.path).second);
    const schema::Value* path = document.find("paths")->find(route.path);
    REQUIRE(path);
    CHECK(path->find(route.method == "GET" ? "get" : "post"));
  }
}

TEST_CASE("addresses to listen on") {
  CHECK(ListenAddress::parse("127.0.0.1:80").is_loopback());
  CHECK(ListenAddress::parse("localhost:0").host == "127.0.0.1");
  CHECK(ListenAddress::parse("[::1]:8080").port == 8080);
  CHECK(ListenAddress::parse("unix:/a/b").socket == "/a/b");
  CHECK_FALSE(ListenAddress::parse("0.0.0.0:1").is_loopback());
  for (const char* text :
       {"", "127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "example.org:80", "unix:"})
    CHECK_THROWS_AS(ListenAddress::parse(text), Error);
}

TEST_CASE("who may ask") {
  const Access access(Access::Options{ListenAddress::parse("127.0.0.1:80"), "0123456789abcdef", false});
  const auto status = [&](const std::string& host, const std::string& authorization,
                          const std::string& target = "/v1/rules", const std::string& origin = {}) {
    HttpRequest request = request_of("GET", target);
    request.peer = {Peer::Kind::loopback, "127.0.0.1"};
    request.headers = {{"host", host}, {"authorization", authorization}, {"origin", origin}};
    const auto refused = access.refuse(request);
    return refused ? refused->status : 200;
  };
  const std::string token = "Bearer 0123456789abcdef";
  CHECK(status("127.0.0.1:80", token) == 200);
  CHECK(status("localhost", token) == 200);
  CHECK(status("127.0.0.1", "Bearer 0123456789abcde") == 401);
  CHECK(status("127.0.0.1", "Bearer 0123456789abcdef0") == 401);
  CHECK(status("127.0.0.1", "Bearer ") == 401);
  CHECK(status("127.0.0.1", "") == 401);
  CHECK(status("127.0.0.1", "", "/health") == 200);
  CHECK(status("127.0.0.1", "", "/?token=0123456789abcdef") == 200);
  CHECK(status("127.0.0.1", "", "/v1/rules?token=0123456789abcdef") == 401);
  for (const char* host : {"evil.example", "127.0.0.1.evil.example", "evil.example:80", "10.0.0.1", "", "127.0.0.1:81"})
    CHECK(status(host, token) == 403);
  CHECK(status("127.0.0.1", token, "/health", "http://evil.example") == 403);
  CHECK(status("127.0.0.1", token, "/v1/rules", "http://127.0.0.1:80") == 200);
}

}  // namespace
}  // namespace venvoy::server
