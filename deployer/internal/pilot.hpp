// One pilot, as the engine sees it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "deployer/exec_launcher.hpp"
#include "deployer/internal/stderr_reader.hpp"
#include "deployer/pilots.hpp"
#include "os/child.hpp"
#include "os/event.hpp"
#include "os/keeper.hpp"

namespace venvoy::deployer::internal {

// The program that carries the stream (the carrier: ssh, srun) and the one that puts a keeper's channel on it (the
// link) are children of the engine's own keeper.
struct Pilot {
  // Starts both; throws an Error (start).
  Pilot(const boost::asio::any_io_executor& executor, os::Keeper& here, PilotNode node, const PilotSettings& settings,
        std::uint64_t number);

  const std::string& name() const noexcept { return told_name.empty() ? node.name : told_name; }

  const PilotNode node;
  const std::uint64_t number;
  std::string told_name;
  std::size_t places;  // 0: not told yet
  std::size_t used = 0;
  bool is_serving = false;
  bool has_served = false;
  os::Event settled;  // it serves, or has been lost
  os::Event gone;     // `end` is known
  std::string end;
  os::Child carrier, link;
  std::unique_ptr<StderrReader> carrier_words, link_words, facts;
  std::unique_ptr<os::Keeper> keeper;
  std::unique_ptr<ExecLauncher> plain;

 private:
  void take_facts(std::string_view line);
};

// Completes when the pilot has gone, for whatever reason, and says why in `end`.
boost::asio::awaitable<void> watch_pilot(std::shared_ptr<Pilot> pilot);

}  // namespace venvoy::deployer::internal
