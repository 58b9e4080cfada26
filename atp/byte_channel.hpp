// A stream of bytes to a plugin and one from it, whatever carries them (design D9).
#pragma once

#include <cstddef>
#include <span>

#include <boost/asio/awaitable.hpp>

namespace venvoy::atp {

// Used on one executor only, with at most one read_some and one write_all under way at a time.
//
// close(), and destroying the channel, end what is under way with an Error. Such a coroutine is resumed later, perhaps
// when the channel is gone: it must then not touch it any more. Whoever implements this shares what the coroutines need
// with them.
struct ByteChannel {
  virtual ~ByteChannel() = default;

  // Waits until there is something to read. Returns how many bytes it has put at the start of `into`, which is not
  // empty and outlives the call; 0 at the end of the stream. Throws an Error (plugin) on failure.
  virtual boost::asio::awaitable<std::size_t> read_some(std::span<std::byte> into) = 0;

  // Waits until all bytes, which outlive the call, are written. Throws an Error (plugin) when the other side has gone.
  virtual boost::asio::awaitable<void> write_all(std::span<const std::byte> bytes) = 0;

  // End of input for the plugin. Nothing can be written afterwards; reading goes on.
  virtual void close_write() noexcept = 0;

  // Both directions. Closing again does nothing.
  virtual void close() noexcept = 0;
};

}  // namespace venvoy::atp
