// Runs over HTTP (spec/governance.md 8.13): submitted, watched, cancelled.
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "api/runtime.hpp"
#include "server/governance_routes.hpp"
#include "server/http.hpp"
#include "server/routes.hpp"

namespace venvoy::server {

struct RunsOptions {
  std::filesystem::path state_dir;
  std::optional<std::filesystem::path> workflows;
  bool allow_local = false;
  std::string version;
  std::size_t running = 8;     // at a time; others wait
  std::size_t waiting = 1000;  // more are refused
  std::size_t kept = 200;      // ended ones that are remembered with their events
};

// On the runtime's loop only.
class Runs final : public BoundWorkflows {
 public:
  Runs(api::Runtime& runtime, RunsOptions options);
  ~Runs() override;

  // Nothing if the operation is not one of these. Throws an Error for what error_reply() knows to answer.
  boost::asio::awaitable<std::optional<HttpResponse>> answer(const FoundRoute& route, const HttpRequest& request,
                                                             std::string actor);

  bool has(const std::string& action) const override;
  boost::asio::awaitable<std::string> start(std::string action, schema::Value input, std::string actor,
                                            std::string request_id) override;

  // By state, for metrics.
  std::map<std::string, std::size_t> count() const;
  // Aborts all runs and completes when they have ended.
  boost::asio::awaitable<void> stop();

 private:
  struct Entry;
  using EntryPtr = std::shared_ptr<Entry>;
  class Observer;
  class RunGate;

  boost::asio::awaitable<HttpResponse> answer_about(Operation operation, std::string id, const HttpRequest& request,
                                                    std::string actor);
  boost::asio::awaitable<HttpResponse> submit(const HttpRequest& request, std::string actor);
  boost::asio::awaitable<HttpResponse> cancel(EntryPtr entry, std::string actor);
  boost::asio::awaitable<HttpResponse> list(const HttpRequest& request) const;
  boost::asio::awaitable<HttpResponse> from_history(std::string id) const;
  HttpResponse events(EntryPtr entry, const HttpRequest& request) const;
  HttpResponse graph(EntryPtr entry) const;
  EntryPtr find(const std::string& id) const;
  EntryPtr add(workflow::WorkflowFiles::File file, bool submitted, schema::Value input, std::string actor);
  void start_waiting();
  boost::asio::awaitable<void> carry_out(EntryPtr entry);
  boost::asio::awaitable<void> prepare_and_run(EntryPtr entry);
  workflow::WorkflowFiles::File named(const std::string& name) const;

  api::Runtime& runtime_;
  RunsOptions options_;
  std::deque<EntryPtr> entries_;  // newest last
  std::deque<EntryPtr> waiting_;
  std::size_t running_ = 0;
  bool stopping_ = false;
};

// What a submitted text may not do without `--allow-local`, in a sentence each: reading files and variables, references
// to folders, sub-workflows. Empty if it may go on.
std::vector<std::string> forbidden_in(const workflow::Document& document);

}  // namespace venvoy::server
