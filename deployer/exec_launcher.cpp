#include "deployer/exec_launcher.hpp"

#include "atp/pipe_channel.hpp"

namespace venvoy::deployer {

namespace asio = boost::asio;

namespace {

class ChildProcess final : public RunningProcess {
 public:
  explicit ChildProcess(os::Child child) : child_(std::move(child)) {}
  pid_t pid() const noexcept override { return child_.pid(); }
  const std::optional<os::ExitInfo>& exit() const noexcept override { return child_.exit(); }
  os::Event& ended() noexcept override { return child_.ended(); }
  void kill() noexcept override { child_.kill(); }

 private:
  os::Child child_;
};

}  // namespace

ExecLauncher::ExecLauncher(const asio::any_io_executor& executor, os::Keeper& keeper, std::filesystem::path starter)
    : executor_(executor), keeper_(keeper), starter_(std::move(starter)) {}

asio::awaitable<Launched> ExecLauncher::launch(LaunchRequest request) {
  os::Pipe input = os::make_pipe();
  os::Pipe output = os::make_pipe();
  os::Pipe error = os::make_pipe();

  os::ChildSpec spec;
  spec.program = std::move(request.python);
  spec.arguments = {starter_.string(), std::move(request.module)};
  for (std::string& argument : request.arguments) spec.arguments.push_back(std::move(argument));
  spec.environment = std::move(request.environment);
  spec.working_directory = std::move(request.working_directory);
  spec.limits = request.limits;
  spec.standard_input = std::move(input.read_end);
  spec.standard_output = std::move(output.write_end);
  spec.standard_error = std::move(error.write_end);

  Launched launched;
  launched.process = std::make_unique<ChildProcess>(keeper_.start(std::move(spec)));
  launched.channel =
      std::make_unique<atp::PipeChannel>(executor_, std::move(input.write_end), std::move(output.read_end));
  launched.standard_error = std::move(error.read_end);
  co_return launched;
}

}  // namespace venvoy::deployer
