#include "governance/internal/http.hpp"

#include <charconv>
#include <memory>
#include <mutex>

#include <curl/curl.h>
#include <fmt/format.h>

#include "base/text.hpp"

namespace venvoy::governance::internal {
namespace {

constexpr std::int64_t longest_retry_after_s = 3600;

struct Reply {
  std::string body;
  std::size_t limit = 0;
  bool too_long = false;
  bool any = false;
  const CancelToken* cancel = nullptr;
};

std::size_t on_reply_body(char* data, std::size_t size, std::size_t count, void* pointer) noexcept {
  Reply& reply = *static_cast<Reply*>(pointer);
  const std::size_t bytes = size * count;
  reply.any = true;
  if (reply.body.size() + bytes > reply.limit) {
    reply.too_long = true;
    return 0;
  }
  try {
    reply.body.append(data, bytes);
  } catch (...) {
    return 0;
  }
  return bytes;
}

std::size_t on_reply_header(char*, std::size_t size, std::size_t count, void* pointer) noexcept {
  static_cast<Reply*>(pointer)->any = true;
  return size * count;
}

int on_reply_progress(void* pointer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
  return static_cast<Reply*>(pointer)->cancel->cancelled() ? 1 : 0;
}

HttpAnswer::End end_of(CURLcode code, const Reply& reply) noexcept {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return HttpAnswer::End::timed_out;
    case CURLE_WRITE_ERROR:
      return reply.too_long ? HttpAnswer::End::too_long : HttpAnswer::End::broken;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return reply.any ? HttpAnswer::End::broken : HttpAnswer::End::unreachable;
    default:
      return HttpAnswer::End::broken;
  }
}

}  // namespace

HttpAnswer call(const HttpCall& request, const CancelToken& cancel) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  cancel.check();
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
  if (!handle) throw std::bad_alloc();
  CURL* curl = handle.get();
  Reply reply;
  reply.limit = request.max_bytes;
  reply.cancel = &cancel;
  char detail[CURL_ERROR_SIZE] = {};
  curl_slist* list = nullptr;
  for (const std::string& header : request.headers) list = curl_slist_append(list, header.c_str());
  if (request.body) list = curl_slist_append(list, "Content-Type: application/json");
  list = curl_slist_append(list, "Expect:");
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(list, curl_slist_free_all);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, request.url.starts_with("https") ? "https" : "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, request.follow_redirects ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "venvoy");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_reply_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_reply_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_reply_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &reply);
  if (!request.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
  if (request.body) {
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body->data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body->size()));
  }

  const CURLcode code = curl_easy_perform(curl);
  cancel.check();
  HttpAnswer answer;
  answer.body = std::move(reply.body);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_off_t wait = 0;
  if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0)
    answer.retry_after = std::chrono::seconds(std::min<std::int64_t>(wait, longest_retry_after_s));
  if (code == CURLE_OK) return answer;
  answer.end = end_of(code, reply);
  answer.problem = answer.end == HttpAnswer::End::too_long
                       ? fmt::format("the answer is longer than {} bytes", request.max_bytes)
                       : to_valid_utf8(*detail ? detail : curl_easy_strerror(code));
  return answer;
}

std::string percent_encoded(std::string_view text) {
  std::string result;
  for (const char symbol : text) {
    const bool plain = is_digit(symbol) || (symbol >= 'a' && symbol <= 'z') || (symbol >= 'A' && symbol <= 'Z') ||
                       is_in("-._~", symbol);
    if (plain)
      result += symbol;
    else
      result += fmt::format("%{:02X}", static_cast<unsigned char>(symbol));
  }
  // A whole segment of dots would be a way up.
  return result == "." ? "%2E" : result == ".." ? "%2E%2E" : result;
}

}  // namespace venvoy::governance::internal
