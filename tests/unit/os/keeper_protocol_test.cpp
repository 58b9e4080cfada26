// The keeper program, asked what no engine of ours would ask.
#include "os/internal/keeper_protocol.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/internal/launch_keeper.hpp"
#include "os/internal/start_block.hpp"
#include "os/keeper.hpp"
#include "second_process.hpp"
#include "support/catch.hpp"

using namespace venvoy;
namespace protocol = os::internal::keeper_protocol;

namespace {

// A keeper and the bare socket to it.
class RawKeeper {
 public:
  ~RawKeeper() {
    keeper_.socket.reset();
    int status = 0;
    ::waitpid(keeper_.pid, &status, 0);
    CHECK(status == 0);  // whatever it was told, it has ended as it should
  }

  void send(const void* bytes, std::size_t size, const std::vector<int>& descriptors = {}) {
    iovec part{const_cast<void*>(bytes), size};
    alignas(cmsghdr) char control[CMSG_SPACE(253 * sizeof(int))] = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
      cmsghdr* const header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
      std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size() * sizeof(int));
    }
    REQUIRE(::sendmsg(keeper_.socket.get(), &message, MSG_NOSIGNAL) == static_cast<ssize_t>(size));
  }
  void start(const os::Fd& block, protocol::Request request = {}, std::vector<int> more = {}) {
    if (block) more.insert(more.begin(), block.get());
    send(&request, sizeof request, more);
  }

  // False at the end of the conversation.
  bool receive(protocol::Reply& reply) {
    return ::recv(keeper_.socket.get(), &reply, sizeof reply, 0) == static_cast<ssize_t>(sizeof reply);
  }

  pid_t pid() const { return keeper_.pid; }

 private:
  os::internal::LaunchedKeeper keeper_ = os::internal::launch_keeper(os::find_keeper_program());
};

std::string good_block() {
  os::ChildSpec spec;
  spec.program = "/bin/true";
  spec.environment = {"A=B"};
  std::string block;
  REQUIRE(os::internal::write_start_block(spec, 100, block) == 0);
  return block;
}

std::string with_counts(std::uint32_t arguments, std::uint32_t environment) {
  std::string block = good_block();
  const protocol::StartBlock header{100, arguments, environment};
  std::memcpy(block.data(), &header, sizeof header);
  return block;
}

os::Fd unsealed(const std::string& text) {
  os::Fd file(::memfd_create("test", MFD_CLOEXEC));
  REQUIRE(::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  return file;
}

int answer_to(RawKeeper& keeper) {
  protocol::Reply reply;
  REQUIRE(keeper.receive(reply));
  CHECK(reply.version == protocol::version);
  return reply.kind == protocol::ReplyKind::failed ? reply.number : 0;
}

}  // namespace

TEST_CASE("the keeper checks the start block before it uses it") {
  struct Row {
    const char* what;
    std::string block;
    int error;
  };
  const std::string good = good_block();
  const Row rows[] = {
      {"empty", "", EBADMSG},
      {"shorter than its header", good.substr(0, 15), EBADMSG},
      {"only a header", good.substr(0, 16), EBADMSG},
      {"cut in a text", good.substr(0, good.size() - 1), EBADMSG},
      {"a text too many", good + std::string(1, '\0'), EBADMSG},
      {"more arguments than texts", with_counts(3, 1), EBADMSG},
      {"far more than that", with_counts(0xffffffff, 0xffffffff), EBADMSG},
      {"no argv[0]", with_counts(0, 2), EBADMSG},
      {"too large", good + std::string(protocol::max_start_block, 'x') + '\0', E2BIG},
  };
  RawKeeper keeper;
  for (const Row& row : rows) {
    INFO(row.what);
    keeper.start(os::internal::sealed_memfd(row.block));
    CHECK(answer_to(keeper) == row.error);
  }
}

TEST_CASE("the keeper takes nothing that could change under it") {
  RawKeeper keeper;
  keeper.start(unsealed(good_block()));
  CHECK(answer_to(keeper) == EPERM);
  keeper.start(os::open_file("/dev/zero", O_RDONLY));
  CHECK(answer_to(keeper) == EINVAL);
}

TEST_CASE("the keeper counts the descriptors that come with a start") {
  const os::Fd block = os::internal::sealed_memfd(good_block());
  struct Row {
    std::uint32_t standard, more;
    std::vector<int> given;
    int error;
  };
  const Row rows[] = {{0, 0, {}, 0},        {1, 0, {}, EBADMSG},     {7, 0, {0, 0}, EBADMSG},      {0, 0, {0}, EBADMSG},
                      {0, 2, {0}, EBADMSG}, {7, 1, {0, 1, 2, 0}, 0}, {0, 0xffffffff, {0}, EBADMSG}};
  for (const Row& row : rows) {
    RawKeeper keeper;
    protocol::Request request;
    request.standard = row.standard;
    request.more = row.more;
    keeper.start(block, request, row.given);
    CHECK(answer_to(keeper) == row.error);
  }
  RawKeeper keeper;
  keeper.start({});
  CHECK(answer_to(keeper) == EBADMSG);
  keeper.start(block, {}, std::vector<int>(200, 0));  // more than it takes: the kernel cuts
  CHECK(answer_to(keeper) == EMFILE);
}

TEST_CASE("answers come in their order, and a signal for nobody does nothing") {
  RawKeeper keeper;
  protocol::Request nobody;
  nobody.kind = protocol::RequestKind::signal;
  nobody.token = 12345;
  nobody.number = SIGKILL;
  keeper.start({}, nobody);
  protocol::Request start;
  start.token = 9;
  keeper.start(os::internal::sealed_memfd(good_block()), start);
  protocol::Reply reply;
  REQUIRE(keeper.receive(reply));
  CHECK(reply.kind == protocol::ReplyKind::started);
  CHECK(reply.token == 9);
  CHECK(reply.number > 0);
  REQUIRE(keeper.receive(reply));
  CHECK(reply.kind == protocol::ReplyKind::ended);
  CHECK(reply.token == 9);
  CHECK(reply.number == 0);
}

TEST_CASE("the keeper ends when it is told nonsense") {
  protocol::Request other_version;
  other_version.version = protocol::version + 1;
  RawKeeper keeper;
  SECTION("another version") {
    keeper.send(&other_version, sizeof other_version);
  }
  SECTION("too short") {
    keeper.send(&other_version, 5);
  }
  SECTION("too long") {
    keeper.send(std::string(100, 'x').data(), 100);
  }
  protocol::Reply reply;
  CHECK_FALSE(keeper.receive(reply));
}

TEST_CASE("the keeper is deaf to the signals of the engine's terminal") {
  RawKeeper keeper;
  protocol::Request start;
  keeper.start(os::internal::sealed_memfd(good_block()), start);
  CHECK(answer_to(keeper) == 0);  // it is up
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::kill(keeper.pid(), number);
  CHECK(::getsid(keeper.pid()) == keeper.pid());
  CHECK(answer_to(keeper) == 0);
  keeper.start(os::internal::sealed_memfd(good_block()), start);
  CHECK(answer_to(keeper) == 0);
}

TEST_CASE("an engine that does not listen blocks the keeper for nobody") {
  RawKeeper keeper;
  const os::Fd block = os::internal::sealed_memfd(good_block());
  protocol::Request start;
  // Two answers each; far more than the socket holds.
  constexpr int count = 600;
  for (int i = 0; i < count; ++i) {
    start.token = static_cast<std::uint64_t>(i);
    keeper.start(block, start);
  }
  std::vector<int> answers(count);
  protocol::Reply reply;
  for (int i = 0; i < 2 * count; ++i) {
    REQUIRE(keeper.receive(reply));
    ++answers.at(reply.token);
  }
  CHECK(answers == std::vector<int>(count, 2));
}

TEST_CASE("by hand the keeper does nothing but say who starts it") {
  os::Pipe pipe = os::make_pipe();
  const std::string program = os::find_keeper_program().string();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(os::open_file("/dev/null", O_RDONLY).get(), STDIN_FILENO);
    ::dup2(pipe.write_end.get(), STDERR_FILENO);
    ::execl(program.c_str(), program.c_str(), nullptr);
    ::_exit(99);
  }
  pipe.write_end.reset();
  char text[200] = {};
  CHECK(::read(pipe.read_end.get(), text, sizeof text - 1) > 0);
  CHECK_THAT(text, Catch::ContainsSubstring("started by venvoy"));
  int status = 0;
  ::waitpid(pid, &status, 0);
  CHECK(WEXITSTATUS(status) == 2);
}
