// Plugins on other machines: a pilot on each of them, a keeper at the far end of a stream of bytes (design D9, D15).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/log.hpp"
#include "base/progress.hpp"
#include "deployer/launcher.hpp"
#include "os/fd.hpp"
#include "os/keeper.hpp"

namespace venvoy::deployer {

// A machine on which a pilot can be started.
struct PilotNode {
  std::string name;
  // A program, looked for in PATH, and its arguments. It starts `venvoy-keeper --stdio` there, and carries that one's
  // standard input and output.
  std::vector<std::string> command;
};

// Where pilots come from. Used on the engine's loop only.
class PilotSource {
 public:
  virtual ~PilotSource() = default;
  // Is told for people what is waited for, whenever that has changed.
  using Tell = std::function<void(const std::string& what)>;
  // The machines to use, which are waited for if they must be. Asked for again when there is no pilot left, or too few:
  // it may give the same ones. Throws an Error (start) that says why there are none.
  virtual boost::asio::awaitable<std::vector<PilotNode>> nodes(Tell tell) = 0;
  // No more pilots are wanted, and those that there were have ended. Does not throw.
  virtual boost::asio::awaitable<void> give_back() = 0;
};

struct PilotSettings {
  std::filesystem::path link;                          // the keeper's program on this machine
  std::filesystem::path starter;                       // plugin_starter.py, on all machines
  std::size_t places = 0;                              // of each pilot; 0: one for each processor
  std::chrono::milliseconds connect_timeout{120'000};  // until a pilot says its first word
  std::uint64_t child_file_limit = os::soft_file_limit();
  Logger logger = {};
};

namespace internal {
struct Pilot;
struct PilotPoolState;
}  // namespace internal

// The right to run one process on a node. Given back when the object goes.
class Place {
 public:
  Place(std::shared_ptr<internal::PilotPoolState> pool, std::shared_ptr<internal::Pilot> pilot);
  ~Place();
  Place(Place&& other) noexcept = default;
  Place& operator=(Place&&) = delete;

  // The node, for people.
  const std::string& node() const noexcept;
  // Which starts processes there, anew each time.
  os::Keeper& keeper() const noexcept;
  Launcher& plain() const noexcept;
  // The same for all places of one pilot, and for no other that there ever was.
  std::uint64_t pilot_number() const noexcept;
  // The pilot has gone: nothing can be started there any more. False for a place that was moved from.
  bool is_lost() const noexcept;
  // Keeps the pilot's keeper and launcher there, without a right to run anything.
  std::shared_ptr<void> hold() const noexcept;

 private:
  friend std::unique_ptr<RunningProcess> occupy(Place place, std::unique_ptr<RunningProcess> process,
                                                std::filesystem::path folder);
  std::shared_ptr<internal::PilotPoolState> pool_;
  std::shared_ptr<internal::Pilot> pilot_;
};

// The process that was started at a place, which it gives back when it has ended; the folder there, unless it is empty,
// is removed first. Its exit() says which node it was, and if the pilot has gone, why.
std::unique_ptr<RunningProcess> occupy(Place place, std::unique_ptr<RunningProcess> process,
                                       std::filesystem::path folder = {});

// The pilots of one source. They are started when the first place is asked for. Used on the executor's thread only.
class PilotPool {
 public:
  // The keeper, which starts the programs that carry the streams, outlives this object.
  PilotPool(const boost::asio::any_io_executor& executor, os::Keeper& keeper, std::unique_ptr<PilotSource> source,
            PilotSettings settings);
  ~PilotPool();
  PilotPool(const PilotPool&) = delete;
  PilotPool& operator=(const PilotPool&) = delete;

  // Waits for a free place. Whoever must wait hears why; `progress` may be null, and outlives the call. Throws an Error
  // (start) when no pilot can be had.
  boost::asio::awaitable<Place> take_place(ProgressSink* progress);

  // Ends all pilots, waits for a short while until they have gone, and gives their machines back. Does not throw.
  boost::asio::awaitable<void> close();

 private:
  std::shared_ptr<internal::PilotPoolState> state_;
};

}  // namespace venvoy::deployer
