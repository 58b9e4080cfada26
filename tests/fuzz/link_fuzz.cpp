// What the other side of a link sends: to a pilot (first byte even) or to a head. Whatever it is, what is held for it
// stays bounded, and the link ends when the stream does.
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include "expect.hpp"
#include "os/keeper_program/link.hpp"

namespace {

using namespace venvoy::keeper;
namespace protocol = venvoy::os::internal::link_protocol;

void drain(const Descriptor& descriptor) {
  static char block[65536];
  while (::read(descriptor.get(), block, sizeof block) > 0) continue;
}

void non_blocking(const Descriptor& descriptor) {
  ::fcntl(descriptor.get(), F_SETFL, O_NONBLOCK);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > (1u << 20)) return 0;
  // As the programs do that have a link: a stream may close at any time.
  std::signal(SIGPIPE, SIG_IGN);
  int channel[2], to[2], from[2];
  venvoy::fuzz::expect(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) == 0 &&
                           ::pipe2(to, O_CLOEXEC) == 0 && ::pipe2(from, O_CLOEXEC) == 0,
                       "there are descriptors");
  const Descriptor ours(channel[0]), out(from[0]);
  Descriptor in(to[1]);
  for (const Descriptor* each : {&ours, &out, static_cast<const Descriptor*>(&in)}) non_blocking(*each);
  Link link(data[0] % 2 == 0 ? Link::Side::pilot : Link::Side::head, Descriptor(channel[1]), Descriptor(to[0]),
            Descriptor(from[1]));
  bool goes_on = true;
  std::size_t at = 1;
  for (int round = 0; goes_on && round < 10'000; ++round) {
    if (at < size) {
      const ssize_t count = ::write(in.get(), data + at, size - at);
      if (count > 0) at += static_cast<std::size_t>(count);
    } else {
      in = Descriptor();
    }
    goes_on = link.step(at < size ? 0 : 20);
    drain(out);
    drain(ours);
    venvoy::fuzz::expect(link.held_bytes() <= size + 2 * protocol::enough_to_write + protocol::max_block,
                         "what is held is bounded");
  }
  venvoy::fuzz::expect(!goes_on, "the link ends with its stream");
  return 0;
}
