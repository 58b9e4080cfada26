#include <chrono>
#include <future>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>

#include "base/error.hpp"
#include "git_fixture.hpp"
#include "source/git_mirror.hpp"
#include "support/catch.hpp"

namespace venvoy::source::test {
namespace {

const std::string nobody = "0000000000000000000000000000000000000000";

// Fetches a commit into a fresh mirror and gives the sentence of the failure.
std::string failure(const World& world, const std::string& url, const Transport& transport) {
  static int number = 0;
  const GitMirror mirror = world.mirror(url, "failing" + std::to_string(++number));
  return error_of([&] { mirror.fetch({id(world.third), ""}, transport, {}); });
}

std::string failure(const World& world, const std::string& url) {
  return failure(world, url, world.transport());
}

TEST_CASE("a commit is fetched by its id where the server allows it, with the tags of its history") {
  const World world;
  const GitMirror mirror = world.mirror(world.url("any-id"));
  const FetchResult result = mirror.fetch({id(world.second), ""}, world.transport(), {});
  CHECK(result.by_id);
  CHECK(world.server().posts() == 1);
  CHECK(mirror.has_commit(id(world.first)));
  CHECK_FALSE(mirror.has_commit(id(world.side)));
  CHECK(mirror.resolve("v0.1").commit.text() == world.first);
  CHECK(mirror.resolve("light").commit.text() == world.second);
  CHECK(error_of([&] { mirror.resolve("main"); }) != "");
}

TEST_CASE("tags that came after their commit are fetched too") {
  World world;
  const GitMirror mirror = world.mirror(world.url("any-id"));
  mirror.fetch({id(world.second), ""}, world.transport(), {});
  world.repository.git({"tag", "-a", "-m", "Late", "late", world.first});
  mirror.fetch({id(world.third), ""}, world.transport(), {});
  CHECK(mirror.resolve("late").commit.text() == world.first);
  CHECK(mirror.has_commit(id(world.third)));
}

TEST_CASE("a commit is looked for in all branches and tags where the server gives none by id") {
  World world;
  world.repository.git({"checkout", "-q", "--detach"});
  const std::string tagged = world.repository.commit("tagged.txt", "on a tag only");
  world.repository.git({"tag", "-a", "-m", "Tag", "v9", tagged});
  world.repository.git({"checkout", "-q", "main"});
  for (const char* mode : {"plain", "refused"}) {
    INFO(mode);
    const GitMirror mirror = world.mirror(world.url(mode), mode);
    CHECK_FALSE(mirror.fetch({id(tagged), ""}, world.transport(), {}).by_id);
    CHECK(mirror.has_commit(id(tagged)));
    CHECK(mirror.resolve("main").commit.text() == world.third);
    CHECK_FALSE(mirror.fetch({id(nobody), ""}, world.transport(), {}).by_id);
    CHECK(error_of([&] { mirror.resolve(nobody); }) ==
          "commit " + nobody + " is not in " + world.url(mode) + ": all its branches and tags were looked through");
  }
}

TEST_CASE("a fetch builds on what is there") {
  World world;
  for (const char* mode : {"plain", "any-id"}) {
    INFO(mode);
    const GitMirror mirror = world.mirror(world.url(mode), mode);
    mirror.fetch({id(world.repository.head()), ""}, world.transport(), {});
    const std::string next = world.repository.commit("small.txt", mode);
    unsigned objects = 0;
    const auto count = [&](const FetchProgress& progress) { objects = progress.total_objects; };
    mirror.fetch({id(next), ""}, world.transport(), {}, count);
    CHECK(objects == 3);  // commit, tree, file
    CHECK(mirror.has_commit(id(next)));
  }
}

TEST_CASE("progress is told") {
  const World world;
  FetchProgress last;
  world.mirror(world.url("plain")).fetch({}, world.transport(), {}, [&](const FetchProgress& now) { last = now; });
  CHECK(last.total_objects > 10);
  CHECK(last.received_objects == last.total_objects);
  CHECK(last.received_bytes > 10'000);
}

TEST_CASE("answers that are no repository end in a sentence") {
  const World world;
  const auto cannot = [&](const char* mode) { return "cannot fetch " + world.url(mode) + ": "; };
  CHECK(failure(world, world.server().url("plain", "nothing")) ==
        "cannot fetch " + world.server().url("plain", "nothing") + ": repository not found (status 404)");
  CHECK(failure(world, world.url("forbidden")) == cannot("forbidden") + "the server refuses access (status 403)");
  CHECK(failure(world, world.url("error")) == cannot("error") + "the server failed with status 500");
  CHECK(failure(world, world.url("html")) ==
        cannot("html") + "the server's answer is not git's (its type is 'text/html')");
  CHECK_THAT(failure(world, world.url("garbage")),
             Catch::ContainsSubstring(cannot("garbage") + "the server does not speak git's protocol"));
  CHECK_THAT(failure(world, world.url("cut")),
             Catch::ContainsSubstring(cannot("cut") + "the server ended the connection in the middle of its answer"));
  CHECK_THAT(failure(world, world.url("cut-quietly")),
             Catch::ContainsSubstring(cannot("cut-quietly") + "what the server sent is cut off or damaged"));
}

TEST_CASE("a fetch that was cut off leaves nothing that the next one trips over") {
  const World world;
  for (const char* mode : {"cut", "cut-quietly", "stall"}) {
    INFO(mode);
    const GitMirror broken = world.mirror(world.url(mode));
    CHECK(error_of([&] { broken.fetch({}, world.transport(), {}); }) != "");
    CHECK_FALSE(broken.has_commit(id(world.third)));
    const GitMirror good = world.mirror(world.url("plain"));
    good.fetch({}, world.transport(), {});
    CHECK(good.resolve("main").commit.text() == world.third);
    fs::remove_all(good.directory());
  }
}

TEST_CASE("servers that fall silent end in a time-out") {
  const World world;
  const auto start = std::chrono::steady_clock::now();
  CHECK(failure(world, world.url("silent")) ==
        "cannot fetch " + world.url("silent") + ": time-out, the server sent (nearly) nothing for 700 milliseconds");
  CHECK(failure(world, world.url("stall")) ==
        "cannot fetch " + world.url("stall") + ": time-out, the server sent (nearly) nothing for 700 milliseconds");
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));  // a hang, not slowness, would reach this
}

TEST_CASE("a slow server is waited for") {
  const World world;
  Transport transport = world.transport();
  transport.options.low_speed_time = std::chrono::milliseconds(300);
  const GitMirror mirror = world.mirror(world.url("slow"));
  mirror.fetch({}, transport, {});
  CHECK(mirror.has_commit(id(world.third)));
  transport.options.low_speed_bytes = 1u << 30;
  CHECK_THAT(failure(world, world.url("slow"), transport), Catch::ContainsSubstring("time-out"));
}

// A port that nobody listens on, or that somebody listens on without ever taking a connection.
class Port {
 public:
  explicit Port(bool full) {
    socket_ = os::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    if (full) fill(address);
    number_ = std::to_string(ntohs(address.sin_port));
  }
  const std::string& number() const { return number_; }

 private:
  void fill(const sockaddr_in& address) {
    REQUIRE(::listen(socket_.get(), 0) == 0);
    for (int i = 0; i < 4; ++i) {
      waiting_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      ::connect(waiting_.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
  }
  os::Fd socket_;
  std::vector<os::Fd> waiting_;
  std::string number_;
};

TEST_CASE("servers that cannot be reached end in a sentence") {
  const World world;
  Transport transport = world.transport();
  const Port closed(false);
  const std::string nowhere = "http://127.0.0.1:" + closed.number() + "/p";
  CHECK(failure(world, nowhere) == "cannot fetch " + nowhere + ": connection refused by 127.0.0.1:" + closed.number());
  CHECK(failure(world, "http://no..host.invalid/p") ==
        "cannot fetch http://no..host.invalid/p: unknown host no..host.invalid");
  const std::string tls = "https://127.0.0.1:" + std::to_string(world.server().port()) + "/p";
  CHECK_THAT(failure(world, tls), Catch::ContainsSubstring("cannot fetch " + tls + ": no TLS connection: "));
  const Port full(true);
  const std::string deaf = "http://127.0.0.1:" + full.number() + "/p";
  transport.options.connect_timeout = std::chrono::milliseconds(300);
  CHECK(failure(world, deaf, transport) == "cannot fetch " + deaf + ": time-out, no connection to 127.0.0.1:" +
                                               full.number() + " within 300 milliseconds");
}

TEST_CASE("redirects are followed as git does") {
  const World world;
  const GitMirror mirror = world.mirror(world.url("redirect-5"));
  mirror.fetch({}, world.transport(), {});
  CHECK(mirror.resolve("main").commit.text() == world.third);
  CHECK_THAT(world.server().requests().back(), Catch::ContainsSubstring("POST /plain/repository/.git/git-upload-pack"));
  CHECK(failure(world, world.url("redirect-6")) ==
        "cannot fetch " + world.url("redirect-6") + ": more than 5 redirects");
  CHECK_THAT(failure(world, world.url("redirect-file")), Catch::ContainsSubstring("another scheme"));
  CHECK_THAT(failure(world, world.url("redirect-https")), Catch::ContainsSubstring("another scheme"));
  CHECK_THAT(failure(world, world.url("redirect-page")), Catch::ContainsSubstring("/login, which is no repository"));
  CHECK(failure(world, world.url("redirect-post")) ==
        "cannot fetch " + world.url("redirect-post") + ": the server redirects in the middle of a fetch");
}

std::string with_login(std::string url, const std::string& login) {
  return url.insert(url.find("://") + 3, login + "@");
}

int requests_with_login(const World& world, const std::string& login) {
  int count = 0;
  for (const std::string& line : world.server().requests())
    count += line.find("login=" + login + " ") != std::string::npos ? 1 : 0;
  return count;
}

TEST_CASE("a login of the URL is used, for its host only, and never shown") {
  const World world;
  const GitMirror mirror = world.mirror(with_login(world.url("auth"), "user:s3cret"));
  mirror.fetch({}, world.transport(), {});
  CHECK(mirror.resolve("main").commit.text() == world.third);

  const std::string wrong = failure(world, with_login(world.url("auth"), "user:s3cre7"));
  CHECK(wrong == "cannot fetch " + world.url("auth") + ": the server refused the login");
  const int before = requests_with_login(world, "user:s3cret");
  CHECK_THAT(failure(world, with_login(world.url("redirect-auth"), "user:s3cret")),
             Catch::ContainsSubstring("the server wants a login"));
  CHECK(requests_with_login(world, "user:s3cret") == before + 1);  // the one that was redirected
}

TEST_CASE("a login of netrc is used") {
  const World world;
  write_file(world.directory / "home" / ".netrc", "machine 127.0.0.1 login user password s3cret\n");
  const GitMirror mirror = world.mirror(world.url("auth"));
  mirror.fetch({}, world.transport(), {});
  CHECK(mirror.resolve("main").commit.text() == world.third);
  Transport elsewhere = world.transport();
  elsewhere.options.environment.push_back("NETRC=" + (world.directory / "no-netrc").string());
  CHECK(failure(world, world.url("auth"), elsewhere) ==
        "cannot fetch " + world.url("auth") + ": the server wants a login, or there is no such repository");
  CHECK_THAT(failure(world, with_login(world.url("auth"), "user")), !Catch::ContainsSubstring("cannot"));
}

// Knows one login, and what became of it.
class OneLogin : public Credentials {
 public:
  explicit OneLogin(Login login) : login_(std::move(login)) {}
  std::optional<Login> find(const LoginPlace& place, const CancelToken&) override {
    said += place.protocol + " " + place.host + " " + place.path + ", ";
    return login_;
  }
  void approve(const LoginPlace&, const Login& login) noexcept override { said += "approved " + login.user; }
  void reject(const LoginPlace&, const Login& login) noexcept override { said += "rejected " + login.user; }
  std::string said;

 private:
  Login login_;
};

TEST_CASE("credentials are asked once, and told what became of their login") {
  const World world;
  const std::string host = "127.0.0.1:" + std::to_string(world.server().port());
  for (const auto& [password, outcome] : {std::pair{"s3cret", "approved"}, std::pair{"wrong", "rejected"}}) {
    const auto credentials = std::make_shared<OneLogin>(Login{"user", password});
    Transport transport = world.transport();
    transport.credentials = credentials;
    failure(world, world.url("auth"), transport);
    CHECK(credentials->said == "http " + host + " auth/repository/.git, " + outcome + " user");
  }
  const auto credentials = std::make_shared<OneLogin>(Login{"user", "s3cret"});
  Transport transport = world.transport();
  transport.credentials = credentials;
  CHECK(failure(world, world.url("redirect-auth"), transport) == "");
  CHECK(credentials->said ==
        "http localhost:" + std::to_string(world.server().port()) + " auth/repository/.git, approved user");
}

TEST_CASE("a cancelled fetch ends at once") {
  const World world;
  for (const char* mode : {"silent", "stall"}) {
    INFO(mode);
    Transport transport = world.transport();
    transport.options.low_speed_time = std::chrono::hours(1);
    CancelSource cancel;
    const GitMirror mirror = world.mirror(world.url(mode), mode);
    auto fetch = std::async(std::launch::async, [&] {
      return error_of([&] { mirror.fetch({id(world.third), ""}, transport, cancel.token()); });
    });
    while (world.server().requests().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    cancel.cancel();
    CHECK(fetch.get() == "cancelled");
  }
}

TEST_CASE("an answer that is too long is given up") {
  const World world;
  Transport transport = world.transport();
  transport.options.max_advertisement = 100;
  CHECK(failure(world, world.url("plain"), transport) ==
        "cannot fetch " + world.url("plain") + ": the server's answer is longer than 100 bytes");
  transport = world.transport();
  transport.options.max_pack = 1000;
  CHECK(failure(world, world.url("plain"), transport) ==
        "cannot fetch " + world.url("plain") + ": the server's answer is longer than 1000 bytes");
}

TEST_CASE("threads that want the same mirror fetch it once") {
  const World world;
  std::vector<std::future<std::string>> fetches;
  for (int i = 0; i < 6; ++i)
    fetches.push_back(std::async(std::launch::async, [&] {
      const GitMirror mirror = world.mirror(world.url("any-id"));
      return error_of([&] { mirror.fetch({id(world.third), ""}, world.transport(), {}); });
    }));
  for (auto& fetch : fetches) CHECK(fetch.get() == "");
  CHECK(world.server().posts() == 1);
}

}  // namespace
}  // namespace venvoy::source::test
