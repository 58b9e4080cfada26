#include "server/page.hpp"

#include "server/page_files.hpp"

namespace venvoy::server {

std::optional<HttpResponse> page_file(const std::string& path) {
  HttpResponse response;
  if (path == "/") {
    response.content_type = "text/html; charset=utf-8";
    response.body = page_html;
  } else if (path == "/page.js") {
    response.content_type = "text/javascript; charset=utf-8";
    response.body = page_js;
  } else if (path == "/page.css") {
    response.content_type = "text/css; charset=utf-8";
    response.body = page_css;
  } else {
    return std::nullopt;
  }
  response.headers.emplace_back("Content-Security-Policy",
                                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                                "img-src 'self' data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  return response;
}

}  // namespace venvoy::server
