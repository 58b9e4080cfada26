// What a run came to.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "schema/value.hpp"

namespace venvoy::workflow {

struct RunResult {
  // Nothing if the run produced an output. Its code tells a wrong input (schema, document) from a denial (denied), an
  // abort (cancelled), a time-out (timed_out) and the rest.
  std::optional<Error> failure;
  std::string output_id;
  schema::Value output_data;
  // The output is one for errors (exit code 2).
  bool error_output = false;
};

}  // namespace venvoy::workflow
