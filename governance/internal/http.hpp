// One HTTP request at a time through libcurl, for registries, archives and executors: whoever answers is not trusted.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.hpp"

namespace venvoy::governance::internal {

struct HttpCall {
  std::string url;                  // http or https, anything else fails
  std::optional<std::string> body;  // then a POST of JSON
  std::vector<std::string> headers;
  std::string ca_file;
  std::chrono::milliseconds connect_timeout{3'000};
  std::chrono::milliseconds timeout{15'000};
  std::size_t max_bytes = std::size_t{1} << 20;
  bool follow_redirects = false;  // at most 5, never from https to http
};

struct HttpAnswer {
  enum class End {
    answered,     // status and body are there
    unreachable,  // no connection, or it broke before any byte came
    broken,       // it broke later, or what came was no HTTP
    timed_out,
    too_long,
  };
  End end = End::answered;
  long status = 0;
  std::string body;
  std::string problem;  // one sentence, when it was not answered
  std::optional<std::chrono::milliseconds> retry_after;
};

// Blocks. Throws an Error (cancelled).
HttpAnswer call(const HttpCall& request, const CancelToken& cancel);

// Everything but letters, digits and "-._~" as %XX.
std::string percent_encoded(std::string_view text);

}  // namespace venvoy::governance::internal
