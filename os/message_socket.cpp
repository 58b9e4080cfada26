#include "os/message_socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>

#include "base/error.hpp"

namespace venvoy::os {
namespace {

constexpr std::size_t max_sent_descriptors = 16;

}  // namespace

MessageSockets make_message_sockets() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw system_error(errno, "cannot make a socket to a child process", ErrorCode::start);
  return {Fd(ends[0]), Fd(ends[1])};
}

int send_message(int socket, std::string_view message, std::span<const Fd> descriptors) noexcept {
  if (descriptors.size() > max_sent_descriptors) return EINVAL;
  iovec part{const_cast<char*>(message.data()), message.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(max_sent_descriptors * sizeof(int))> control = {};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const std::size_t size = descriptors.size() * sizeof(int);
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(size);
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(size);
    unsigned char* place = CMSG_DATA(rights);
    for (const Fd& descriptor : descriptors) {
      const int number = descriptor.get();
      std::memcpy(place, &number, sizeof number);
      place += sizeof number;
    }
  }
  ssize_t count = 0;
  do {
    count = ::sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  return count < 0 ? errno : 0;
}

bool is_not_now(int error) noexcept {
  return error == EAGAIN || error == ETOOMANYREFS || error == ENOBUFS || error == ENOMEM;
}

}  // namespace venvoy::os
