// What somebody asks of the server.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace venvoy::server {

// Who is on the other end.
struct Peer {
  enum class Kind { owner_socket, loopback, remote };
  Kind kind = Kind::remote;
  std::string text;  // for logs: "unix", "127.0.0.1"
};

struct HttpRequest {
  std::string method;  // in capitals
  std::string path;    // without the query, percent-decoded segment by segment
  // The path's segments, decoded: one may hold a '/'.
  std::vector<std::string> segments;
  std::map<std::string, std::string, std::less<>> query;
  std::map<std::string, std::string, std::less<>> headers;  // names in small letters; the last one counts
  std::string body;
  Peer peer;

  // Empty if it is not there.
  const std::string& header(std::string_view name) const noexcept;
  const std::string& parameter(std::string_view name) const noexcept;
};

// Splits and decodes a target ("/a%20b?c=d"). False for one that is no path, or that has a bad escape or a NUL.
bool read_target(std::string_view target, HttpRequest& request);

}  // namespace venvoy::server
