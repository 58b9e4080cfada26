// The function bodies of Boost.Asio and Boost.Process, compiled once for all folders.
#include <boost/asio/impl/src.hpp>

#include "os/internal/boost_process.hpp"

// After the header above, which brings what this one forgets.
#include <boost/process/v2/src.hpp>
