// The link between two keepers: its bytes, its limits, and what it carries.
#include "os/keeper_program/link.hpp"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "os/internal/keeper_protocol.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::keeper;
namespace protocol = os::internal::link_protocol;
using protocol::Attachment;
using protocol::FrameKind;

namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    constexpr char digits[] = "0123456789abcdef";
    text += digits[static_cast<unsigned char>(byte) >> 4];
    text += digits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

struct Sockets {
  explicit Sockets(int type) {
    int ends[2] = {-1, -1};
    REQUIRE(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) == 0);
    a = Descriptor(ends[0]);
    b = Descriptor(ends[1]);
  }
  Descriptor a, b;
};

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    read_end = Descriptor(ends[0]);
    write_end = Descriptor(ends[1]);
  }
  Descriptor read_end, write_end;
};

// One side of a link, and us as the other.
struct OneSide {
  explicit OneSide(Link::Side side)
      : link(side, std::move(channel.b), std::move(to.read_end), std::move(from.write_end)) {}

  void say(std::string_view bytes) {
    REQUIRE(::write(to.write_end.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  void greet() {
    std::string bytes(protocol::greeting);
    append_hello(bytes, {os::internal::keeper_protocol::version, 4, "there"});
    say(bytes);
  }
  // Until it sleeps, or has ended.
  bool run(int rounds = 20) {
    for (int i = 0; i < rounds; ++i)
      if (!link.step(5)) return false;
    return true;
  }

  Sockets channel{SOCK_SEQPACKET};
  Pipe to, from;
  Link link;
};

// Both sides, back to back, in this process.
struct BothSides {
  BothSides()
      : head(Link::Side::head, std::move(engine.b), std::move(back.read_end), std::move(there.write_end)),
        pilot(Link::Side::pilot, std::move(keeper.b), std::move(there.read_end), std::move(back.write_end)) {}

  void run(int rounds = 40) {
    for (int i = 0; i < rounds; ++i) {
      head.step(1);
      pilot.step(1);
    }
  }

  Sockets engine{SOCK_SEQPACKET}, keeper{SOCK_SEQPACKET};
  Pipe there, back;
  Link head, pilot;
};

void send(const Descriptor& socket, std::string_view text, std::vector<int> descriptors = {}) {
  iovec part{const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
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
    std::copy(descriptors.begin(), descriptors.end(), reinterpret_cast<int*>(CMSG_DATA(header)));
  }
  REQUIRE(::sendmsg(socket.get(), &message, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

std::string receive(const Descriptor& socket, std::vector<Descriptor>* descriptors = nullptr) {
  std::string text(protocol::max_payload, '\0');
  iovec part{text.data(), text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))];
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t count = ::recvmsg(socket.get(), &message, MSG_DONTWAIT);
  if (count < 0) return "nothing";
  text.resize(static_cast<std::size_t>(count));
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (!header || !descriptors) return text;
  const std::size_t attached = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (std::size_t i = 0; i < attached; ++i)
    descriptors->emplace_back(reinterpret_cast<const int*>(CMSG_DATA(header))[i]);
  return text;
}

std::string read_all_there_is(const Descriptor& descriptor) {
  ::fcntl(descriptor.get(), F_SETFL, O_NONBLOCK);
  std::string text;
  char block[65536];
  ssize_t count = 0;
  while ((count = ::read(descriptor.get(), block, sizeof block)) > 0)
    text.append(block, static_cast<std::size_t>(count));
  return count == 0 ? text + "|end" : text;
}

}  // namespace

TEST_CASE("frames have these bytes") {
  std::string bytes;
  append_hello(bytes, {2, 64, "node7"});
  CHECK(hex(bytes) ==
        "0d0000000100000000000000"
        "0200000040000000"
        "6e6f646537");
  bytes.clear();
  append_message(bytes, 0, {{{Attachment::block, 0}, {Attachment::source, 1}, {Attachment::sink, 2}}, "hi"});
  CHECK(hex(bytes) ==
        "1e0000000200000000000000"
        "03000000"
        "0100000000000000"
        "0200000001000000"
        "0300000002000000"
        "6869");
  bytes.clear();
  append_frame(bytes, FrameKind::data, 258, "abc");
  CHECK(hex(bytes) ==
        "030000000400000002010000"
        "616263");
  bytes.clear();
  append_credit(bytes, 5, 65536);
  CHECK(hex(bytes) ==
        "040000000500000005000000"
        "00000100");
  bytes.clear();
  append_frame(bytes, FrameKind::end, 5, {});
  append_frame(bytes, FrameKind::stop, 6, {});
  CHECK(hex(bytes) ==
        "000000000600000005000000"
        "000000000700000006000000");
  bytes.clear();
  append_heartbeat(bytes);
  CHECK(hex(bytes) ==
        "010000000800000000000000"
        "0a");
}

TEST_CASE("frames are found in whatever pieces they come, after the words of a shell") {
  std::string bytes = "Welcome to node7!\r\n";
  bytes += protocol::greeting;
  append_frame(bytes, FrameKind::data, 3, "abc");
  append_heartbeat(bytes);
  FrameReader reader;
  std::vector<FrameKind> kinds;
  for (const char byte : bytes) {
    reader.feed({&byte, 1});
    while (const auto frame = reader.next()) {
      kinds.push_back(frame->kind);
      if (frame->kind == FrameKind::data) CHECK(frame->payload == "abc");
    }
  }
  CHECK(kinds == std::vector{FrameKind::data, FrameKind::heartbeat});
  CHECK(reader.failure().empty());
}

TEST_CASE("what is no link is noticed early") {
  FrameReader endless;
  for (int i = 0; i < 20 && endless.failure().empty(); ++i) {
    endless.feed(std::string(8192, 'x'));
    CHECK(!endless.next());
  }
  CHECK(!endless.failure().empty());

  FrameReader huge;
  huge.feed(std::string(protocol::greeting) + std::string("\xff\xff\xff\x7f\x04\0\0\0\x01\0\0\0", 12));
  CHECK(!huge.next());
  CHECK(!huge.failure().empty());
}

TEST_CASE("a side that breaks the rules ends the link") {
  const auto ends_after = [](Link::Side side, auto say) {
    OneSide one(side);
    one.greet();
    CHECK(one.run(5));
    std::string bytes;
    say(bytes);
    one.say(bytes);
    return !one.run() && !one.link.failure().empty();
  };
  const auto pilot = Link::Side::pilot;
  CHECK(!ends_after(pilot, [](std::string& to) { append_heartbeat(to); }));
  // A stream that nobody has opened.
  CHECK(ends_after(pilot, [](std::string& to) { append_frame(to, FrameKind::data, 1, "x"); }));
  // Bytes on the channel of messages, a message on a stream of bytes, an empty message.
  CHECK(ends_after(pilot, [](std::string& to) { append_frame(to, FrameKind::data, 0, "x"); }));
  CHECK(ends_after(pilot, [](std::string& to) {
    append_message(to, 0, {{{Attachment::source, 1}}, "a"});
    append_message(to, 1, {{}, "b"});
  }));
  CHECK(ends_after(pilot, [](std::string& to) { append_message(to, 0, {{}, ""}); }));
  // The same stream twice.
  CHECK(ends_after(pilot, [](std::string& to) {
    append_message(to, 0, {{{Attachment::source, 1}}, "a"});
    append_message(to, 0, {{{Attachment::source, 1}}, "b"});
  }));
  // More bytes than the window, more credit than there can be.
  CHECK(ends_after(pilot, [](std::string& to) {
    append_message(to, 0, {{{Attachment::sink, 1}}, "a"});
    append_credit(to, 1, 1);
  }));
  CHECK(ends_after(pilot, [](std::string& to) { append_frame(to, static_cast<FrameKind>(99), 0, ""); }));
  // Only the head opens streams.
  CHECK(ends_after(Link::Side::head, [](std::string& to) { append_message(to, 0, {{{Attachment::source, 1}}, "a"}); }));
}

TEST_CASE("more bytes than there is credit for end the link") {
  OneSide pilot(Link::Side::pilot);
  pilot.greet();
  std::string bytes;
  append_message(bytes, 0, {{{Attachment::source, 1}}, "start"});
  pilot.say(bytes);
  CHECK(pilot.run(5));
  // Nobody reads the pipe, so no credit comes.
  const std::string block(protocol::max_data / 2, 'x');
  bool goes_on = true;
  std::size_t sent = 0;
  while (goes_on && sent < 4 * protocol::window) {
    bytes.clear();
    append_frame(bytes, FrameKind::data, 1, block);
    pilot.say(bytes);
    sent += block.size();
    goes_on = pilot.run(3);
    CHECK(pilot.link.held_bytes() < protocol::window + protocol::enough_to_write);
  }
  CHECK(!goes_on);
  CHECK(sent > protocol::window);
  CHECK(pilot.link.failure().find("asked for") != std::string::npos);
}

TEST_CASE("descriptors arrive as streams") {
  BothSides both;
  Pipe input, output;
  Sockets messages(SOCK_SEQPACKET);
  send(both.engine.a, "start", {input.read_end.get(), output.write_end.get(), messages.b.get()});
  input.read_end = Descriptor();
  output.write_end = Descriptor();
  messages.b = Descriptor();
  both.run();
  std::vector<Descriptor> there;
  REQUIRE(receive(both.keeper.a, &there) == "start");
  REQUIRE(there.size() == 3);

  SECTION("bytes, and their end, in both directions") {
    REQUIRE(::write(input.write_end.get(), "question", 8) == 8);
    REQUIRE(::write(there[1].get(), "answer", 6) == 6);
    both.run();
    CHECK(read_all_there_is(there[0]) == "question");
    CHECK(read_all_there_is(output.read_end) == "answer");
    input.write_end = Descriptor();
    there[1] = Descriptor();
    both.run();
    CHECK(read_all_there_is(there[0]) == "|end");
    CHECK(read_all_there_is(output.read_end) == "|end");
  }
  SECTION("a reader that goes is told to the writer") {
    const auto kept = std::signal(SIGPIPE, SIG_IGN);
    output.read_end = Descriptor();
    there[0] = Descriptor();
    both.run();
    CHECK(::write(there[1].get(), "x", 1) == -1);
    CHECK(::write(input.write_end.get(), "x", 1) == -1);
    std::signal(SIGPIPE, kept);
  }
  SECTION("messages keep their borders, and carry descriptors") {
    Pipe more;
    send(messages.a, "one");
    send(messages.a, "two", {more.read_end.get()});
    send(there[2], "back");
    both.run();
    CHECK(receive(there[2]) == "one");
    std::vector<Descriptor> attached;
    CHECK(receive(there[2], &attached) == "two");
    REQUIRE(attached.size() == 1);
    CHECK(receive(messages.a) == "back");
    REQUIRE(::write(more.write_end.get(), "deep", 4) == 4);
    both.run();
    CHECK(read_all_there_is(attached[0]) == "deep");
    there[2] = Descriptor();
    both.run();
    CHECK(receive(messages.a) == "");
  }
  SECTION("who does not read holds up nobody else, and no more than a window of bytes") {
    ::fcntl(there[1].get(), F_SETFL, O_NONBLOCK);
    const std::string block(65536, 'x');
    std::size_t written = 0;
    for (int i = 0; i < 400; ++i) {
      const ssize_t count = ::write(there[1].get(), block.data(), block.size());
      if (count > 0) written += static_cast<std::size_t>(count);
      both.run(1);
    }
    CHECK(written < 4 * protocol::window);
    CHECK(both.head.held_bytes() <= protocol::window + 1024);
    send(messages.a, "still here");
    both.run();
    CHECK(receive(there[2]) == "still here");
    // All of it comes when it is read.
    there[1] = Descriptor();
    std::string all;
    for (int i = 0; i < 400 && (all.size() < 4 || all.substr(all.size() - 4) != "|end"); ++i) {
      all += read_all_there_is(output.read_end);
      both.run(2);
    }
    CHECK(all.size() == written + 4);
  }
  SECTION("an end in order ends the other side so") {
    both.head.close();
    both.run();
    CHECK(!both.pilot.step(0));
    CHECK(both.pilot.failure().empty());
    CHECK(receive(both.keeper.a) == "");
  }
  SECTION("an engine that dies says nothing to the other side") {
    both.engine.a = Descriptor();
    both.run();
    CHECK(!both.head.step(0));
    CHECK(both.head.failure() == "the engine has gone");
    CHECK(both.pilot.step(0));
    CHECK(receive(both.keeper.a) == "nothing");
  }
}

TEST_CASE("a pilot that hears nothing ends") {
  OneSide pilot(Link::Side::pilot);
  pilot.greet();
  while (pilot.link.step()) continue;
  CHECK(pilot.link.failure().find("nothing has been heard") == 0);
}
