// What an Engine and everything that hosts got from it share.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "api/internal/host_gate.hpp"
#include "api/runtime.hpp"
#include "api/venvoy/engine.hpp"
#include "base/cancel.hpp"
#include "workflow/plan.hpp"

namespace venvoy {

// The runtime, what is under way in it, and the plans: these refer to the runtime, so they lie here and go with it,
// whatever handles a host keeps. The mutex guards the lists; the runtime is used only by those who hold a Work.
class EngineCore final : public std::enable_shared_from_this<EngineCore> {
 public:
  // Throws an Error or EngineError.
  explicit EngineCore(const EngineOptions& options);

  // A call or a run under way. The engine waits for its end before it goes.
  class Work {
   public:
    Work(std::shared_ptr<EngineCore> core, const Cancellation& cancellation);
    ~Work();
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;
    CancelToken token() const { return stop_.token(); }
    void cancel() { stop_.cancel(); }
    EngineCore& core() const noexcept { return *core_; }

   private:
    std::shared_ptr<EngineCore> core_;
    // Asked to stop by the host, or because the engine goes.
    CancelSource stop_;
    std::list<CancelSource>::iterator place_;
    CancelToken::Registration link_;
  };

  // Throws an EngineError (usage) when the engine is gone.
  std::shared_ptr<Work> begin(const Cancellation& cancellation);
  // Only while a Work is held.
  api::Runtime& runtime() noexcept { return *runtime_; }
  workflow::ActionGate* gate() noexcept { return gate_.get(); }

  using PlanPtr = std::shared_ptr<const workflow::Plan>;
  std::uint64_t keep(PlanPtr plan);
  // Null when it, or the engine, is gone.
  PlanPtr plan(std::uint64_t number) const;
  void forget(std::uint64_t number);

  // Cancels everything, waits for its end, and ends the runtime.
  void shut_down();

 private:
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  bool closing_ = false;
  std::list<CancelSource> under_way_;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, PlanPtr> plans_;
  std::unique_ptr<api::internal::HostGate> gate_;  // outlives the runtime
  std::unique_ptr<api::Runtime> runtime_;
};

// Throws an EngineError (usage) on the engine's own thread, which would wait for itself for ever.
void require_other_thread(const api::Runtime& runtime);

struct Workflow::State {
  ~State();
  std::weak_ptr<EngineCore> core;
  std::uint64_t plan = 0;  // its number; 0 for none
  std::vector<Diagnostic> diagnostics;
};

}  // namespace venvoy
