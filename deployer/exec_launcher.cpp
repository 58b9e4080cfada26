#include "deployer/exec_launcher.hpp"

#include "atp/pipe_channel.hpp"
#include "deployer/internal/standard_pipes.hpp"

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
  internal::StandardPipes pipes = internal::make_standard_pipes();
  os::Pipe imports;
  if (request.report_imports) imports = os::make_pipe();

  os::ChildSpec spec;
  spec.program = std::move(request.python);
  spec.arguments = {starter_.string()};
  if (request.report_imports) {
    spec.arguments.push_back("--report");
    spec.more.push_back(std::move(imports.write_end));
  }
  spec.arguments.push_back(std::move(request.module));
  for (std::string& argument : request.arguments) spec.arguments.push_back(std::move(argument));
  spec.environment = std::move(request.environment);
  spec.working_directory = std::move(request.working_directory);
  spec.limits = request.limits;
  spec.standard_input = std::move(pipes.child_input);
  spec.standard_output = std::move(pipes.child_output);
  spec.standard_error = std::move(pipes.child_error);

  Launched launched;
  launched.process = std::make_unique<ChildProcess>(keeper_.start(std::move(spec)));
  launched.channel = std::make_unique<atp::PipeChannel>(executor_, std::move(pipes.input), std::move(pipes.output));
  launched.standard_error = std::move(pipes.error);
  launched.imports = std::move(imports.read_end);
  co_return launched;
}

}  // namespace venvoy::deployer
