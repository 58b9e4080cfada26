#include "server/page.hpp"

#include "server/page_files.hpp"

namespace venvoy::server {

HttpResponse page_file(Operation operation) {
  HttpResponse response;
  if (operation == Operation::page_script) {
    response.content_type = "text/javascript; charset=utf-8";
    response.body = page_js;
  } else if (operation == Operation::page_style) {
    response.content_type = "text/css; charset=utf-8";
    response.body = page_css;
  } else {
    response.content_type = "text/html; charset=utf-8";
    response.body = page_html;
  }
  response.headers.emplace_back("Content-Security-Policy",
                                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                                "img-src 'self' data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  return response;
}

}  // namespace venvoy::server
