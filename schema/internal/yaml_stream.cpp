#include "schema/internal/yaml_stream.hpp"

#include <algorithm>

#include "schema/internal/text_position.hpp"
#include "schema/internal/yaml_errors.hpp"
#include "schema/internal/yaml_tokens.hpp"

namespace venvoy::schema {
namespace {

constexpr std::size_t chunk = 64u << 10;
constexpr std::size_t unwatched = 1u << 20;

// Counts the brackets of the first flow collection after a place. It need not be exact outside of it: what it takes
// for a bracket in running text matters only if there are as many as the limits allow.
class FlowCounter {
 public:
  FlowCounter(std::string_view text, const std::string& file, const YamlLimits& limits)
      : text_(text), file_(file), limits_(limits) {}

  // Returns where the collection ends, or the end of the text if there is none that ends.
  std::size_t count(std::size_t start) {
    TokenWalker walker(text_, start);
    for (; !walker.at_end(); walker.step(depth_ > 0)) {
      if (walker.at_any_of("[{")) open(walker.offset());
      if (depth_ == 0) continue;
      if (walker.symbol() == ',' && ++commas_ > limits_.max_nodes)
        throw too_many_nodes(limits_, position(walker.offset()));
      if (walker.at_any_of("]}") && --depth_ == 0) return walker.offset() + 1;
    }
    return text_.size();
  }

 private:
  void open(std::size_t offset) {
    if (++depth_ > limits_.max_depth) throw too_deep(limits_, position(offset));
    if (++opened_ > limits_.max_nodes) throw too_many_nodes(limits_, position(offset));
  }
  Position position(std::size_t offset) const { return position_at(text_, offset, file_); }

  std::string_view text_;
  const std::string& file_;
  const YamlLimits& limits_;
  int depth_ = 0;
  std::size_t opened_ = 0;
  std::size_t commas_ = 0;
};

}  // namespace

YamlStreamBuffer::YamlStreamBuffer(std::string_view text, const std::size_t& last_event, const std::string& file,
                                   const YamlLimits& limits)
    : text_(text), last_event_(last_event), file_(file), limits_(limits), next_look_(unwatched) {}

YamlStreamBuffer::int_type YamlStreamBuffer::underflow() {
  // At the end the last chunk stays, for yaml-cpp puts back what it read to guess the encoding.
  if (given_ == text_.size()) return traits_type::eof();
  if (given_ >= next_look_) look_ahead();
  const std::size_t size = std::min(chunk, text_.size() - given_);
  char* begin = const_cast<char*>(text_.data()) + given_;  // nothing writes to a buffer that is only read from
  setg(begin, begin, begin + size);
  given_ += size;
  return traits_type::to_int_type(*begin);
}

void YamlStreamBuffer::look_ahead() {
  const std::size_t ahead = given_ - std::min(last_event_, given_);
  if (ahead < unwatched) {
    next_look_ = given_ + unwatched - ahead;
    return;
  }
  const std::size_t end = FlowCounter(text_, file_, limits_).count(last_event_);
  // A long scalar is looked at again when it has become twice as long.
  next_look_ = std::max(end < text_.size() ? end : given_, given_ + ahead);
}

}  // namespace venvoy::schema
