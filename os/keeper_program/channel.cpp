#include "os/keeper_program/channel.hpp"

#include <cerrno>
#include <sys/socket.h>

namespace venvoy::keeper {

namespace protocol = os::internal::keeper_protocol;

std::optional<Channel::Incoming> Channel::receive() {
  Incoming incoming;
  alignas(cmsghdr) char control[CMSG_SPACE(protocol::max_descriptors * sizeof(int))];
  iovec part{&incoming.request, sizeof incoming.request};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (size > 0) incoming.descriptors = take_descriptors(message);
  closed_ = size != sizeof incoming.request || incoming.request.version != protocol::version;
  if (closed_) return std::nullopt;
  if (message.msg_flags & MSG_CTRUNC) incoming.error = EMFILE;
  return incoming;
}

void Channel::send(const protocol::Reply& reply) {
  replies_.push_back(reply);
  flush();
}

void Channel::flush() {
  while (!replies_.empty()) {
    const ssize_t size = ::send(socket_.get(), &replies_.front(), sizeof(protocol::Reply), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0) {
      if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS) closed_ = true;
      return;
    }
    replies_.pop_front();
  }
}

}  // namespace venvoy::keeper
