#include "cli/screen.hpp"

#include <cerrno>
#include <cstdlib>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace venvoy::cli {
namespace {

// More than this does not wait for the next drawing.
constexpr std::size_t max_waiting = std::size_t{64} << 10;

// A terminal that takes no more for a while is waited for; one that has gone is not told.
void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return;
    pollfd wait{descriptor, POLLOUT, 0};
    ::poll(&wait, 1, -1);
  }
}

}  // namespace

bool Screen::can_draw() const noexcept {
  const char* terminal = std::getenv("TERM");
  return ::isatty(descriptor_) == 1 && terminal && *terminal && std::string_view(terminal) != "dumb";
}

ScreenSize Screen::size() const noexcept {
  ScreenSize size;
  winsize window{};
  if (::ioctl(descriptor_, TIOCGWINSZ, &window) == 0) {
    if (window.ws_col > 0) size.columns = window.ws_col;
    if (window.ws_row > 0) size.rows = window.ws_row;
  }
  return size;
}

void Screen::write(std::string_view text) {
  const std::lock_guard lock(mutex_);
  waiting_ += text;
  draw();
}

void Screen::write_soon(std::string_view text) {
  const std::lock_guard lock(mutex_);
  waiting_ += text;
  if (lines_.empty() || waiting_.size() > max_waiting) draw();
}

void Screen::show(std::vector<report::LiveLine> lines) {
  const std::lock_guard lock(mutex_);
  lines_ = std::move(lines);
  draw();
}

void Screen::draw() {
  std::string out;
  if (!drawn_.empty()) {
    // A terminal that has become narrower has broken the lines.
    const std::size_t columns = size().columns;
    std::size_t rows = 0;
    for (const std::size_t width : drawn_) rows += width <= columns ? 1 : (width + columns - 1) / columns;
    // Line by line: to clear the whole screen at once would put it into the history of some terminals.
    out = "\r";
    for (std::size_t row = 0; row < rows; ++row) out += "\x1b[1A\x1b[2K";
    drawn_.clear();
  }
  out += waiting_;
  waiting_.clear();
  for (const report::LiveLine& line : lines_) {
    out += line.text;
    out += '\n';
    drawn_.push_back(line.width);
  }
  write_all(descriptor_, out);
}

}  // namespace venvoy::cli
