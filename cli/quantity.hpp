// Amounts as people write them on a command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace venvoy::cli {

// "500ms", "90s", "5m30s", "12h", "60d"; a bare number is seconds. Throws an Error (usage) that names the option.
std::chrono::milliseconds parse_duration(const std::string& text, const std::string& option);

// "800MB", "20GB", "1GB512MB"; 1024 B are 1 kB, a bare number is bytes. Throws an Error (usage) that names the option.
std::uint64_t parse_size(const std::string& text, const std::string& option);

// "1.5 GB": at most four digits, for people.
std::string size_text(std::uint64_t bytes);

}  // namespace venvoy::cli
