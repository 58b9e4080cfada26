#include "rucio/internal/names.hpp"

#include "base/text.hpp"

namespace venvoy::rucio {
namespace {

constexpr std::size_t max_object_name = 253;

char lower_case(char symbol) noexcept {
  return symbol >= 'A' && symbol <= 'Z' ? static_cast<char>(symbol - 'A' + 'a') : symbol;
}

}  // namespace

std::string normalised_name(std::string_view name) {
  std::string result;
  for (const char symbol : name) {
    const bool separator = is_in("-_.", symbol);
    if (separator && !result.empty() && result.back() == '-') continue;
    result += separator ? '-' : lower_case(symbol);
  }
  return result;
}

std::string object_name(std::string_view name) {
  std::string result;
  for (char symbol : name) {
    symbol = lower_case(symbol);
    const bool plain = is_digit(symbol) || (symbol >= 'a' && symbol <= 'z');
    if (!plain && (result.empty() || result.back() == '-')) continue;
    result += plain ? symbol : '-';
  }
  result = result.substr(0, max_object_name);
  while (!result.empty() && result.back() == '-') result.pop_back();
  return result;
}

}  // namespace venvoy::rucio
