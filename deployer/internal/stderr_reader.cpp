#include "deployer/internal/stderr_reader.hpp"

#include <array>
#include <cstdint>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "base/line_cutter.hpp"
#include "base/text.hpp"

namespace venvoy::deployer::internal {

namespace asio = boost::asio;

struct StderrReader::State {
  State(const asio::any_io_executor& executor, os::Fd file, std::size_t limit)
      : stream(executor, file.release()), tail_limit(limit), ended(executor) {}

  void take(std::string_view bytes) {
    total += bytes.size();
    if (log) log->write(bytes);
    kept.append(bytes);
    // Twice the limit, so that the front is cut off rarely and in one go. One byte more than is told stays, so that
    // what is left of a line does not pass for a whole one.
    if (kept.size() > 2 * tail_limit) kept.erase(0, kept.size() - tail_limit - 1);
    lines.add(bytes, on_line);
  }

  asio::posix::stream_descriptor stream;
  std::size_t tail_limit;
  os::Event ended;
  std::uint64_t total = 0;
  std::string kept;
  std::unique_ptr<StderrLogs::Log> log;
  LineCutter lines;
  std::function<void(std::string_view)> on_line;
};

StderrReader::StderrReader(const asio::any_io_executor& executor, os::Fd stream, std::size_t tail_limit,
                           std::unique_ptr<StderrLogs::Log> log, std::function<void(std::string_view)> on_line)
    : state_(std::make_shared<State>(executor, std::move(stream), tail_limit)) {
  state_->log = std::move(log);
  state_->on_line = std::move(on_line);
  asio::co_spawn(executor, read(state_), asio::detached);
}

StderrReader::~StderrReader() {
  state_->on_line = [](std::string_view) {};
  boost::system::error_code ignored;
  state_->stream.close(ignored);
}

asio::awaitable<void> StderrReader::read(std::shared_ptr<State> state) {
  std::array<char, 16384> block;
  boost::system::error_code error;
  while (!error) {
    auto token = asio::redirect_error(asio::use_awaitable, error);
    auto buffer = asio::buffer(block);
    const std::size_t count = co_await state->stream.async_read_some(buffer, token);
    state->take(std::string_view(block.data(), count));
  }
  state->lines.finish(state->on_line);
  state->ended.fire();
}

std::string StderrReader::tail() const {
  return to_valid_utf8(venvoy::tail(state_->kept, state_->tail_limit));
}

std::string StderrReader::log_note() const {
  const bool has_more = state_->log && !state_->log->path().empty() && state_->total > state_->tail_limit;
  return has_more ? fmt::format(" (more in '{}')", state_->log->path().string()) : std::string();
}

os::Event& StderrReader::ended() noexcept {
  return state_->ended;
}

}  // namespace venvoy::deployer::internal
