#include "source/internal/loop_programs.hpp"

#include <cerrno>
#include <fcntl.h>
#include <future>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/error.hpp"

namespace venvoy::source {
namespace {

// A loop that is too busy, or ended, for this long does not start the program any more.
constexpr std::chrono::seconds start_timeout{30};

// The handle of a child belongs to the loop's thread, also when it is let go.
class LoopProgram : public StartedProgram {
 public:
  LoopProgram(const boost::asio::any_io_executor& executor, os::Child child)
      : executor_(executor), child_(std::move(child)) {}
  ~LoopProgram() override {
    boost::asio::post(executor_, [child = std::move(child_)]() mutable { child.kill(); });
  }

 private:
  boost::asio::any_io_executor executor_;
  os::Child child_;
};

os::Fd not_blocking(os::Fd end) {
  const int flags = ::fcntl(end.get(), F_GETFL);
  if (flags < 0 || ::fcntl(end.get(), F_SETFL, flags | O_NONBLOCK) < 0)
    throw system_error(errno, "cannot prepare a pipe", ErrorCode::start);
  return end;
}

}  // namespace

std::unique_ptr<StartedProgram> LoopPrograms::start(os::ChildSpec spec) {
  os::Pipe in = os::make_pipe();
  os::Pipe out = os::make_pipe();
  os::Pipe error = os::make_pipe();
  spec.standard_input = std::move(in.read_end);
  spec.standard_output = std::move(out.write_end);
  spec.standard_error = std::move(error.write_end);

  std::promise<os::Child> promise;
  std::future<os::Child> child = promise.get_future();
  boost::asio::post(executor_, [&keeper = keeper_, spec = std::move(spec), promise = std::move(promise)]() mutable {
    try {
      promise.set_value(keeper.start(std::move(spec)));
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
  });
  if (child.wait_for(start_timeout) != std::future_status::ready)
    throw Error(ErrorCode::start, "a program could not be started: the event loop does not answer");
  auto started = std::make_unique<LoopProgram>(executor_, child.get());
  started->standard_input = not_blocking(std::move(in.write_end));
  started->standard_output = not_blocking(std::move(out.read_end));
  started->standard_error = not_blocking(std::move(error.read_end));
  return started;
}

}  // namespace venvoy::source
