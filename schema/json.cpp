#include "schema/json.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "schema/internal/text_position.hpp"

namespace venvoy::schema {
namespace {

// Bytes of a reason that quotes the text.
constexpr std::size_t longest_reason = 200;

// An iterator that tells how far the parser has read; its events carry no positions.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** furthest) : at_(at), furthest_(furthest) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *furthest_ = ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** furthest_;
};

// What nlohmann's sentence says: "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while
// parsing value - invalid literal; last read: '[x'; expected …" becomes "invalid literal; expected …". The place is in
// the error's position, and what was read last can be megabytes.
std::string plain_reason(std::string_view sentence) {
  const auto skip_past = [&](std::string_view end) {
    const std::size_t found = sentence.find(end);
    if (found != std::string_view::npos) sentence.remove_prefix(found + end.size());
  };
  skip_past("] ");
  if (sentence.starts_with("parse error")) skip_past(": ");
  if (sentence.starts_with("syntax error")) skip_past(" - ");
  const std::size_t last_read = sentence.find("; last read: '");
  const std::size_t expected = sentence.rfind("'; expected ");
  std::string reason(sentence.substr(0, std::min(last_read, longest_reason)));
  if (last_read < expected && expected != std::string_view::npos) reason += sentence.substr(expected + 1);
  return reason;
}

// Builds the value from nlohmann's events.
class JsonBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  JsonBuilder(std::string_view text, const std::string& file, const JsonLimits& limits)
      : text_(text), file_(file), limits_(limits), furthest_(text.data()) {}

  Value read();

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(std::int64_t{value}); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max()))
      return add(static_cast<double>(value));
    return add(static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return add(double{value}); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // JSON text has none
  bool start_object(std::size_t) override { return open(true); }
  bool start_array(std::size_t) override { return open(false); }
  bool key(string_t& value) override;
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t position, const std::string& last_token,
                   const nlohmann::detail::exception& error) override;

 private:
  // A list or map that is being read.
  struct Open {
    bool is_map = false;
    List list;
    Map map;
    std::string key;
  };

  bool add(Value value);
  bool open(bool is_map);
  bool close();
  std::size_t offset() const { return static_cast<std::size_t>(furthest_ - text_.data()); }
  [[noreturn]] void fail(ErrorCode code, std::string message, std::size_t at) const {
    throw Error(code, std::move(message)).at(position_at(text_, at, file_));
  }

  std::string_view text_;
  const std::string& file_;
  const JsonLimits& limits_;
  const char* furthest_;
  std::vector<Open> open_;
  Value result_;
};

Value JsonBuilder::read() {
  const CountingIterator begin(text_.data(), &furthest_);
  const CountingIterator end(text_.data() + text_.size(), &furthest_);
  nlohmann::json::sax_parse(begin, end, static_cast<nlohmann::json_sax<nlohmann::json>*>(this));
  // The parser takes a NUL byte for the end of the text.
  const std::size_t read = offset();
  if (read > 0 && text_[read - 1] == '\0') fail(ErrorCode::document, "invalid JSON: unexpected NUL byte", read - 1);
  return std::move(result_);
}

bool JsonBuilder::add(Value value) {
  if (open_.empty()) {
    result_ = std::move(value);
  } else if (open_.back().is_map) {
    open_.back().map.insert(std::move(open_.back().key), std::move(value));
  } else {
    open_.back().list.push_back(std::move(value));
  }
  return true;
}

bool JsonBuilder::open(bool is_map) {
  if (open_.size() >= static_cast<std::size_t>(limits_.max_depth))
    fail(ErrorCode::limit, fmt::format("the JSON text is nested deeper than {} levels", limits_.max_depth),
         offset() - 1);
  open_.push_back({.is_map = is_map, .list = {}, .map = {}, .key = {}});
  return true;
}

bool JsonBuilder::close() {
  Open done = std::move(open_.back());
  open_.pop_back();
  return add(done.is_map ? Value(std::move(done.map)) : Value(std::move(done.list)));
}

bool JsonBuilder::key(string_t& value) {
  if (open_.back().map.contains(value)) {
    // The key has just been read: its start is the quote before it that no backslash escapes.
    std::size_t quote = offset() - 1;
    do {
      quote = text_.rfind('"', quote - 1);
    } while ((quote - 1 - text_.find_last_not_of('\\', quote - 1)) % 2 == 1);
    fail(ErrorCode::document, "duplicate key " + describe(value), quote);
  }
  open_.back().key = std::move(value);
  return true;
}

bool JsonBuilder::parse_error(std::size_t position, const std::string& last_token,
                              const nlohmann::detail::exception& error) {
  // `position` counts the reads, one past the end among them.
  const std::string reason = plain_reason(error.what());
  std::size_t at = std::min(position - std::min<std::size_t>(position, 1), text_.size());
  if (reason.starts_with("unexpected end of input")) {
    at = text_.size();
  } else if (reason.starts_with("unexpected") && text_.substr(0, position).ends_with(last_token)) {
    at = std::min(position, text_.size()) - last_token.size();  // the start of a token that is in the wrong place
  }
  fail(ErrorCode::document, "invalid JSON: " + reason, at);
}

}  // namespace

Value read_json(std::string_view text, const std::string& file, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes)
    throw Error(ErrorCode::limit,
                fmt::format("the JSON text has {} bytes, more than the limit of {}", text.size(), limits.max_bytes))
        .at({file, 0, 0});
  return JsonBuilder(without_byte_order_mark(text), file, limits).read();
}

}  // namespace venvoy::schema
