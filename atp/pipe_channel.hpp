// A ByteChannel over two file descriptors.
#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "atp/byte_channel.hpp"
#include "os/fd.hpp"

namespace venvoy::atp {

// Pipes or stream sockets, one for each direction; closing one of them does not close the other.
//
// A write to a plugin that has gone is an Error, never a SIGPIPE: the signal is blocked in the writing thread for the
// time of the write, so neither the process' disposition nor any thread's mask has to be changed by the program.
class PipeChannel final : public ByteChannel {
 public:
  // Takes over both descriptors, and makes them non-blocking. `to_plugin` is the end to write to, `from_plugin` the end
  // to read from. Throws an Error (io) when one of them is not open.
  PipeChannel(const boost::asio::any_io_executor& executor, os::Fd to_plugin, os::Fd from_plugin);
  ~PipeChannel() override;

  boost::asio::awaitable<std::size_t> read_some(std::span<std::byte> into) override;
  boost::asio::awaitable<void> write_all(std::span<const std::byte> bytes) override;
  void close_write() noexcept override;
  void close() noexcept override;

 private:
  struct Ends;
  std::shared_ptr<Ends> ends_;
};

}  // namespace venvoy::atp
