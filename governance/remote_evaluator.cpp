#include "governance/remote_evaluator.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>

#include <fmt/format.h>

#include "base/text.hpp"
#include "governance/internal/http.hpp"
#include "os/files.hpp"
#include "os/on_pool.hpp"
#include "schema/json.hpp"

namespace venvoy::governance {

namespace asio = boost::asio;

namespace {

using internal::HttpAnswer;
using internal::HttpCall;
using schema::Value;
using RemoteClock = std::chrono::steady_clock;

constexpr std::size_t remote_threads = 16;
constexpr std::size_t max_reply_bytes = std::size_t{1} << 20;
constexpr schema::JsonLimits reply_limits{max_reply_bytes, 64};
constexpr std::size_t max_token_bytes = 4096;

std::string message_in(const Value& reply, std::string otherwise) {
  for (const char* key : {"message", "error", "data"})
    if (const Value* value = reply.find(key); value && value->kind() == schema::Kind::text)
      return to_valid_utf8(value->as_text().substr(0, 4000));
  return otherwise;
}

bool is_failure(const Value& reply) {
  const Value* success = reply.find("success");
  return success && success->kind() == schema::Kind::boolean && !success->as_bool();
}

bool may_repeat(const HttpAnswer& answer) {
  if (answer.end == HttpAnswer::End::unreachable) return true;
  if (answer.end != HttpAnswer::End::answered) return false;
  return answer.status == 429 || answer.status == 502 || answer.status == 503 || answer.status == 504;
}

// Sleeps unless the token is cancelled.
void pause(std::chrono::milliseconds time, const CancelToken& cancel) {
  std::mutex mutex;
  std::condition_variable wake;
  bool stop = false;
  const auto link = cancel.on_cancel([&] {
    const std::lock_guard lock(mutex);
    stop = true;
    wake.notify_all();
  });
  std::unique_lock lock(mutex);
  wake.wait_for(lock, time, [&] { return stop; });
  lock.unlock();
  cancel.check();
}

double draw_jitter() {
  static thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_real_distribution<>(0, 1)(random);
}

Evaluation evaluation_of(const HttpAnswer& answer, const std::string& url) {
  switch (answer.end) {
    case HttpAnswer::End::answered:
      return read_executor_reply(answer.status, answer.body);
    case HttpAnswer::End::unreachable:
      return failed_evaluation("remote_unreachable",
                               fmt::format("the executor {} cannot be reached: {}", url, answer.problem));
    case HttpAnswer::End::timed_out:
      return failed_evaluation("timeout", fmt::format("the executor {} has not answered in time", url));
    case HttpAnswer::End::too_long:
    case HttpAnswer::End::broken:
      break;
  }
  return failed_evaluation("remote_bad_reply", fmt::format("the reply of {} is broken: {}", url, answer.problem));
}

Evaluation ask_executor(HttpCall call, const RemoteSettings& settings, const CancelToken& cancel) {
  const auto end = RemoteClock::now() + settings.timeout * (settings.retries + 1);
  HttpAnswer answer;
  for (int attempt = 1;; ++attempt) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - RemoteClock::now());
    call.timeout = std::clamp(left, std::chrono::milliseconds(1), settings.timeout);
    answer = internal::call(call, cancel);
    if (!may_repeat(answer) || attempt > settings.retries) break;
    auto wait = remote_delay(attempt, draw_jitter());
    if (answer.retry_after) wait = std::max(wait, *answer.retry_after);
    if (RemoteClock::now() + wait >= end) break;
    pause(wait, cancel);
  }
  Evaluation result = evaluation_of(answer, call.url);
  result.isolation = "remote";
  return result;
}

}  // namespace

std::chrono::milliseconds remote_delay(int attempt, double jitter) noexcept {
  const double delay = 200.0 * static_cast<double>(1 << std::clamp(attempt - 1, 0, 10));
  return std::chrono::milliseconds(static_cast<std::int64_t>(delay * (1 + jitter / 4)));
}

Evaluation read_executor_reply(long status, std::string_view body) {
  Value reply;
  std::string fault;
  try {
    reply = schema::read_json(body, "reply", reply_limits);
    if (reply.kind() != schema::Kind::map) fault = "it is no object";
  } catch (const Error& error) {
    fault = error.what();
  }
  if (status != 200 && status != 202) {
    // An executor of ours says with 422 that the policy itself has failed.
    if (status == 422 && fault.empty() && is_failure(reply))
      return failed_evaluation("policy_failed", message_in(reply, "the policy has failed"));
    const std::string words = fault.empty() ? message_in(reply, {}) : std::string();
    return failed_evaluation("remote_http", fmt::format("the executor answers with status {}{}{}", status,
                                                        words.empty() ? "" : ": ", words));
  }
  if (!fault.empty())
    return failed_evaluation("remote_bad_reply", fmt::format("the executor's reply cannot be read ({})", fault));
  if (is_failure(reply)) return failed_evaluation("policy_failed", message_in(reply, "the executor reports a failure"));
  const Value* success = reply.find("success");
  const Value* data = reply.find("data");
  if (!success || success->kind() != schema::Kind::boolean || !data)
    return failed_evaluation("remote_bad_reply", "the executor's reply has no 'success' or no 'data'");
  Evaluation result;
  result.answer = *data;
  return result;
}

RemoteEvaluator::RemoteEvaluator(const RemoteSettings& settings, std::function<ModeInForce()> mode)
    : settings_(settings), mode_(std::move(mode)) {}

RemoteEvaluator::~RemoteEvaluator() = default;

asio::awaitable<Evaluation> RemoteEvaluator::evaluate(PolicyQuestion question, CancelToken cancel) {
  if (!pool_) pool_ = std::make_unique<asio::thread_pool>(remote_threads);
  std::function<Evaluation(const CancelToken&)> work = [this, question](const CancelToken& token) {
    try {
      const ModeInForce mode = mode_();
      HttpCall call;
      call.url = mode.host;
      while (call.url.ends_with('/')) call.url.pop_back();
      call.url += "/executor/" + internal::percent_encoded(mode.executor_id) + "/execute_policy";
      call.body = schema::write_json(schema::Map({{"policy_rule_uri", question.id.text()},
                                                  {"input_data", question.input},
                                                  {"parameters", question.parameters}}),
                                     {.indent = 0});
      call.connect_timeout = settings_.connect;
      call.max_bytes = max_reply_bytes;
      call.ca_file = settings_.ca_file;
      if (!settings_.token_file.empty())
        call.headers.push_back("Authorization: Bearer " +
                               std::string(trim(os::read_file(settings_.token_file, max_token_bytes))));
      return ask_executor(std::move(call), settings_, token);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::cancelled) throw;
      return failed_evaluation("config", error.what());
    }
  };
  co_return co_await os::on_pool<Evaluation>(*pool_, cancel, std::move(work));
}

}  // namespace venvoy::governance
