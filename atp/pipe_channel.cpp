#include "atp/pipe_channel.hpp"

#include <cerrno>
#include <csignal>
#include <ctime>
#include <pthread.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/error.hpp"

namespace venvoy::atp {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;

struct PipeChannel::Ends {
  stream_descriptor to_plugin;
  stream_descriptor from_plugin;
};

namespace {

// SIGPIPE is directed at the thread that writes. It is blocked for the life of this object, and a signal that came in
// that time is taken away again.
class SigpipeBlocked {
 public:
  SigpipeBlocked() noexcept {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~SigpipeBlocked() {
    if (!was_pending_ && came_) {
      const timespec at_once{};
      while (sigtimedwait(&sigpipe_, nullptr, &at_once) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeBlocked(const SigpipeBlocked&) = delete;
  SigpipeBlocked& operator=(const SigpipeBlocked&) = delete;

  void note_broken_pipe() noexcept { came_ = true; }

 private:
  sigset_t sigpipe_;
  sigset_t before_;
  bool was_pending_ = false;
  bool came_ = false;
};

struct Written {
  std::size_t count = 0;
  int error = 0;  // an errno, 0 for none
};

// One write(2).
Written write_some(int fd, std::span<const std::byte> bytes) noexcept {
  SigpipeBlocked blocked;
  const ssize_t count = ::write(fd, bytes.data(), bytes.size());
  if (count >= 0) return {static_cast<std::size_t>(count), 0};
  const Written failed{0, errno};
  if (failed.error == EPIPE) blocked.note_broken_pipe();
  return failed;
}

Error closed() {
  return Error(ErrorCode::plugin, "the connection to the plugin is closed");
}

stream_descriptor made_non_blocking(const asio::any_io_executor& executor, os::Fd fd) {
  stream_descriptor descriptor(executor);
  boost::system::error_code failure;
  descriptor.assign(fd.get(), failure);
  if (failure) throw system_error(failure.value(), "cannot wait for a plugin's descriptor");
  static_cast<void>(fd.release());
  descriptor.native_non_blocking(true, failure);
  if (failure) throw system_error(failure.value(), "cannot make a plugin's descriptor non-blocking");
  return descriptor;
}

}  // namespace

PipeChannel::PipeChannel(const asio::any_io_executor& executor, os::Fd to_plugin, os::Fd from_plugin)
    : ends_(new Ends{made_non_blocking(executor, std::move(to_plugin)),
                     made_non_blocking(executor, std::move(from_plugin))}) {}

PipeChannel::~PipeChannel() {
  close();
}

namespace {

// The coroutines own a share of the ends: see ByteChannel.
template <class Ends>
asio::awaitable<std::size_t> read_from(std::shared_ptr<Ends> ends, std::span<std::byte> into) {
  boost::system::error_code failure;
  auto token = asio::redirect_error(asio::use_awaitable, failure);
  const asio::mutable_buffer buffer(into.data(), into.size());
  const std::size_t count = co_await ends->from_plugin.async_read_some(buffer, token);
  // A socket reports a peer that went without reading everything in place of the end, after the last byte.
  if (failure == asio::error::eof || failure == asio::error::connection_reset) co_return 0;
  if (failure == asio::error::operation_aborted || failure == asio::error::bad_descriptor) throw closed();
  if (failure) throw system_error(failure.value(), "cannot read from the plugin", ErrorCode::plugin);
  co_return count;
}

template <class Ends>
asio::awaitable<void> write_to(std::shared_ptr<Ends> ends, std::span<const std::byte> bytes) {
  boost::system::error_code failure;
  auto token = asio::redirect_error(asio::use_awaitable, failure);
  while (!bytes.empty()) {
    if (!ends->to_plugin.is_open()) throw closed();
    const Written written = write_some(ends->to_plugin.native_handle(), bytes);
    if (written.error != 0 && written.error != EINTR && written.error != EAGAIN && written.error != EWOULDBLOCK)
      throw system_error(written.error, "cannot write to the plugin", ErrorCode::plugin);
    bytes = bytes.subspan(written.count);
    if (bytes.empty()) co_return;
    // Also when the plugin reads as fast as we write: a large message must not hold up the loop.
    co_await ends->to_plugin.async_wait(stream_descriptor::wait_write, token);
    if (failure) throw closed();
  }
}

void close_quietly(stream_descriptor& descriptor) noexcept {
  boost::system::error_code nobody_to_tell;
  descriptor.close(nobody_to_tell);
}

}  // namespace

asio::awaitable<std::size_t> PipeChannel::read_some(std::span<std::byte> into) {
  return read_from(ends_, into);
}

asio::awaitable<void> PipeChannel::write_all(std::span<const std::byte> bytes) {
  return write_to(ends_, bytes);
}

void PipeChannel::close_write() noexcept {
  close_quietly(ends_->to_plugin);
}

void PipeChannel::close() noexcept {
  close_quietly(ends_->to_plugin);
  close_quietly(ends_->from_plugin);
}

}  // namespace venvoy::atp
