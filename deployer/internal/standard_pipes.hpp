// The three pipes of a plugin process.
#pragma once

#include "os/fd.hpp"

namespace venvoy::deployer::internal {

struct StandardPipes {
  os::Fd child_input, child_output, child_error;  // for the process
  os::Fd input, output, error;                    // our ends
};

inline StandardPipes make_standard_pipes() {
  os::Pipe input = os::make_pipe();
  os::Pipe output = os::make_pipe();
  os::Pipe error = os::make_pipe();
  return {std::move(input.read_end),  std::move(output.write_end), std::move(error.write_end),
          std::move(input.write_end), std::move(output.read_end),  std::move(error.read_end)};
}

}  // namespace venvoy::deployer::internal
