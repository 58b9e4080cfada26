// Boost.Process v2 on the paths of the standard library. Include this instead of its headers.
#pragma once

// With BOOST_PROCESS_USE_STD_FS the headers of 1.81 use these two without including them.
#include <boost/optional.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/type_traits.hpp>
