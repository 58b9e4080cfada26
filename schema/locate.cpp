#include "schema/locate.hpp"

#include <charconv>

namespace venvoy::schema {

const YamlNode& locate(const YamlNode& root, const Path& path) {
  const YamlNode* node = &root;
  for (const std::string& segment : path) {
    const bool bracket = segment.size() > 2 && (segment.front() == '[' || segment.front() == '{');
    const std::string key = bracket ? segment.substr(1, segment.size() - 2) : segment;
    const YamlNode* next = nullptr;
    if (node->is_sequence()) {
      std::size_t index = 0;
      const auto parsed = std::from_chars(key.data(), key.data() + key.size(), index);
      if (parsed.ec == std::errc() && index < node->items.size()) next = &node->items[index];
    } else {
      next = segment.front() == '{' ? node->find_key(key) : node->find(key);
    }
    if (!next) break;
    node = next;
  }
  return *node;
}

}  // namespace venvoy::schema
