// Waiting for events.
#pragma once

#include <chrono>

#include <boost/asio/awaitable.hpp>

#include "os/event.hpp"

namespace venvoy::os {

// Completes when the event, which outlives the call, has fired.
boost::asio::awaitable<void> wait_for_event(Event& event);
// The same, or after that time.
boost::asio::awaitable<void> wait_for_event(Event& event, std::chrono::milliseconds limit);

}  // namespace venvoy::os
