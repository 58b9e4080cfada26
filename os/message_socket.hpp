// Datagrams with descriptors between two processes of one machine.
#pragma once

#include <span>
#include <string_view>

#include "os/fd.hpp"

namespace venvoy::os {

// Both ends keep the borders of messages, and close on exec.
struct MessageSockets {
  Fd ours;
  Fd theirs;
};
// Throws an Error (start).
MessageSockets make_message_sockets();

// Sends one message with descriptors (SCM_RIGHTS), which stay open here. Never waits and never raises SIGPIPE. Returns
// 0 or an errno; is_not_now() tells whether the same message may go later.
int send_message(int socket, std::string_view message, std::span<const Fd> descriptors) noexcept;
bool is_not_now(int error) noexcept;

}  // namespace venvoy::os
