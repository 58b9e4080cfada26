// One sentence for each way in which an HTTP request can fail.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "base/error.hpp"

namespace venvoy::source {

struct TransferFailure {
  CURLcode code;
  int os_error;        // errno of a failed connection, 0 if not known
  std::string detail;  // what libcurl says; may be empty
  std::string host;
  std::string shown_url;
  std::chrono::milliseconds connect_timeout;
};

Error transfer_error(const TransferFailure& failure);
Error stalled_error(std::string_view shown_url, std::chrono::milliseconds silence);
// For an answer that is not a success. `login_refused`: a login was sent with the request.
Error status_error(std::string_view shown_url, long status, bool login_refused);

// "20 seconds", "1 second", "250 milliseconds"
std::string duration_text(std::chrono::milliseconds duration);

}  // namespace venvoy::source
