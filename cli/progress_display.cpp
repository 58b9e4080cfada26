#include "cli/progress_display.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <future>
#include <string_view>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "report/live_progress.hpp"
#include "report/plain_progress.hpp"

namespace venvoy::cli {
namespace {

constexpr std::chrono::milliseconds between_drawings{100};

// As the C library reads them: the first that is set decides.
bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (!value || !*value) continue;
    std::string text(value);
    for (char& letter : text) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    return text.find("utf-8") != std::string::npos || text.find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace

// All on the engine's loop. The timer's handler keeps it, so it may outlive the display, but not its `stopped`.
struct ProgressDisplay::Live : std::enable_shared_from_this<Live> {
  Live(Session& given_session, std::shared_ptr<Screen> given_screen, report::LiveProgress& given_progress)
      : session(given_session),
        screen(std::move(given_screen)),
        progress(given_progress),
        timer(given_session.runtime().executor()) {}

  void draw() {
    if (stopped) return;
    if (session.interrupted()) progress.show_stopping();
    const ScreenSize size = screen->size();
    // A full last column would make some terminals begin a line of their own; one line is left for the cursor.
    screen->show(progress.lines(std::max<std::size_t>(size.columns, 2) - 1, std::max<std::size_t>(size.rows, 2) - 1));
    draw_later();
  }

  // What is over at once draws nothing.
  void draw_later() {
    timer.expires_after(between_drawings);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->draw();
    });
  }

  void stop() {
    stopped = true;
    timer.cancel();
    screen->show({});
  }

  Session& session;
  std::shared_ptr<Screen> screen;
  report::LiveProgress& progress;
  boost::asio::steady_timer timer;
  bool stopped = false;
};

ProgressDisplay::ProgressDisplay(const std::string& form, Session& session, const Talk& talk) {
  if (form == "none" || talk.quiet()) return;
  const std::shared_ptr<Screen> screen = talk.screen();
  const auto write = [screen](std::string_view text) { screen->write(text); };
  if (form == "plain" || !screen->can_draw()) {
    observer_ = std::make_unique<report::PlainProgress>(write, system_clock());
    return;
  }
  auto progress =
      std::make_unique<report::LiveProgress>(write, report::LiveStyle{talk.color(), locale_is_utf8()}, system_clock());
  live_ = std::make_shared<Live>(session, screen, *progress);
  observer_ = std::move(progress);
  boost::asio::post(session.runtime().executor(), [live = live_] { live->draw_later(); });
}

ProgressDisplay::~ProgressDisplay() {
  finish();
}

void ProgressDisplay::expect_steps(std::size_t count) {
  if (!live_) return;
  boost::asio::post(live_->session.runtime().executor(), [live = live_, count] {
    if (!live->stopped) live->progress.expect_steps(count);
  });
}

void ProgressDisplay::expect_duration(const std::function<std::optional<std::chrono::milliseconds>()>& known) {
  if (!live_) return;
  const auto duration = known();
  if (!duration) return;
  boost::asio::post(live_->session.runtime().executor(), [live = live_, duration] {
    if (!live->stopped) live->progress.expect_duration(*duration);
  });
}

void ProgressDisplay::finish() {
  if (!live_) return;
  std::promise<void> done;
  boost::asio::post(live_->session.runtime().executor(), [live = live_, &done] {
    live->stop();
    done.set_value();
  });
  done.get_future().wait();
  live_.reset();
}

}  // namespace venvoy::cli
