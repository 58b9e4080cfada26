// The way of the text into yaml-cpp.
#pragma once

#include <cstddef>
#include <streambuf>
#include <string>
#include <string_view>

#include "schema/yaml.hpp"

namespace venvoy::schema {

// Hands out a text and watches how far yaml-cpp reads ahead. It reads a `[…]` or `{…}` to its end before its first
// event, some two hundred bytes of memory for each bracket and comma; so when it has read a megabyte without an event,
// the brackets ahead are counted here and held to the limits on depth and nodes. (Depth of indentation needs no such
// care: yaml-cpp tells of every level at once.)
class YamlStreamBuffer final : public std::streambuf {
 public:
  // The arguments must outlive the buffer. `last_event` is the offset of the last event.
  YamlStreamBuffer(std::string_view text, const std::size_t& last_event, const std::string& file,
                   const YamlLimits& limits);

 protected:
  int_type underflow() override;

 private:
  void look_ahead();

  std::string_view text_;
  const std::size_t& last_event_;
  const std::string& file_;
  const YamlLimits& limits_;
  std::size_t given_ = 0;
  std::size_t next_look_;
};

}  // namespace venvoy::schema
