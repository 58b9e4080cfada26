// What nearly every source file includes, compiled once (VenvoyFolder.cmake). A convenience of the build alone: sources
// include what they use, and the preset tsan is built without this file, so that what is missing shows.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
