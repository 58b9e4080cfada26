// Programs that pool threads talk to, started by the keeper on its own thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "os/keeper.hpp"
#include "source/transport.hpp"

namespace venvoy::source {

class LoopPrograms : public ProgramStarter {
 public:
  LoopPrograms(const boost::asio::any_io_executor& executor, os::Keeper& keeper) noexcept
      : executor_(executor), keeper_(keeper) {}
  std::unique_ptr<StartedProgram> start(os::ChildSpec spec) override;

 private:
  boost::asio::any_io_executor executor_;
  os::Keeper& keeper_;
};

}  // namespace venvoy::source
