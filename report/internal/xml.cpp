#include "report/internal/xml.hpp"

#include "base/text.hpp"

namespace venvoy::report::internal {

namespace {

std::string escaped(std::string_view text, bool keep_lines) {
  std::string result;
  const std::string valid = to_valid_utf8(text);
  for (std::size_t at = 0; at < valid.size(); ++at) {
    const std::string_view rest = std::string_view(valid).substr(at, 3);
    switch (valid[at]) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        if (rest == "\xEF\xBF\xBE" || rest == "\xEF\xBF\xBF") {
          result += "\xEF\xBF\xBD";
          at += 2;
        } else {
          const bool kept = keep_lines && is_in("\n\t", valid[at]);
          result += static_cast<unsigned char>(valid[at]) < ' ' && !kept ? ' ' : valid[at];
        }
    }
  }
  return result;
}

}  // namespace

std::string xml_text(std::string_view text) {
  return escaped(text, false);
}
std::string xml_lines(std::string_view text) {
  return escaped(text, true);
}

}  // namespace venvoy::report::internal
