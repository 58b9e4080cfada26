// The package indexes that an installer would ask, asked by us.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "source/http_client.hpp"
#include "venv/internal/index_page.hpp"
#include "venv/internal/job.hpp"

namespace venvoy::venv::internal {

// Where an installer looks, by its own configuration and ours. Addresses may hold logins: never to be logged.
struct IndexPlaces {
  std::vector<std::string> indexes;     // in the order in which they are asked
  std::vector<std::string> find_links;  // folders, or addresses of pages
  std::string proxy;                    // empty: what the environment says
  std::string certificates;             // file of the authorities; empty: the system's
  std::vector<std::string> trusted_hosts;
  std::chrono::seconds timeout{15};
  std::string version;  // of the installer that was asked; empty if it did not say
};

// What pip would do: asked of the target's pip, since it alone knows its configuration files, variables and default.
// Settings of ours come before them. Throws an Error: install, environment, cancelled.
boost::asio::awaitable<IndexPlaces> places_of_pip(const Job& job, Target target);

// The same of uv.
boost::asio::awaitable<IndexPlaces> places_of_uv(const Job& job, const Installer& installer);

// Reads projects' pages from all places. Blocks: for pool threads, one at a time.
class PackageIndexes {
 public:
  PackageIndexes(IndexPlaces places, const os::Environment& environment, CancelToken cancel);
  ~PackageIndexes();

  // Everything there is of a project, by its normalised name; empty if there is no such project. A server that fails or
  // cannot be reached is asked again, up to three times in all. Throws an Error: network, authentication, limit,
  // cancelled.
  std::vector<IndexFile> files_of(const std::string& project);

  const IndexPlaces& places() const noexcept { return places_; }

 private:
  struct Server;
  std::vector<IndexFile> ask(Server& server, const std::string& project);
  std::vector<IndexFile> ask_once(Server& server, const std::string& project);

  IndexPlaces places_;
  os::Environment environment_;
  CancelToken cancel_;
  std::vector<std::unique_ptr<Server>> servers_;
};

// The lines of a netrc file that let an installer fetch the files of these indexes: logins that stand in their
// addresses. Empty if there are none.
std::string netrc_for(const IndexPlaces& places);

// The addresses for people: without logins.
std::string shown_places(const IndexPlaces& places);

}  // namespace venvoy::venv::internal
