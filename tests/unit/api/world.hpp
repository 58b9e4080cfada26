// A plugin in a real repository, a store to install it in, and hosts' observers: what the tests of this folder share.
#pragma once

#include <chrono>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>
#include <venvoy/engine.hpp>

#include "support/temporary_dir.hpp"

namespace venvoy::test {

namespace fs = std::filesystem;

// Longer than anything here takes; a test that gets there has failed.
inline constexpr std::chrono::seconds patience{120};

// tests/functional/plugins/tiny in a git repository. One for all tests, and one store, so that it is installed once.
class World {
 public:
  static const World& shared();
  std::string reference;
  std::string commit;
  EngineOptions options() const;
  // A folder for one test.
  const fs::path& path() const { return folder_.path(); }

 private:
  World();
  TemporaryDir folder_;
};

// A workflow of one step named `only`, with the inputs that its step takes; its outputs hand on what the step gives.
std::string hello_workflow(const std::string& reference);
std::string wait_workflow(const std::string& reference, const std::string& plugin_step);

class Recorder final : public Observer {
 public:
  void on_event(const Event& event) override;
  std::vector<Event> events() const;
  // The types and, of steps, names: "run_started step_started(only) …".
  std::string story() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Event> events_;
};

// Waits until the file is there; false when patience ends.
bool appears(const fs::path& file);

// The EngineError that `work` throws; one with the text "nothing was thrown" if it does not.
EngineError error_of(const std::function<void()>& work);

}  // namespace venvoy::test
