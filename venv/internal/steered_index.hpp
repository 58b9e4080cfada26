// The package index that pip sees (design D7): that of its configuration, without what must not be chosen.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/cancel.hpp"
#include "base/error.hpp"
#include "os/event.hpp"
#include "venv/internal/index_page.hpp"
#include "venv/internal/index_server.hpp"
#include "venv/internal/job.hpp"
#include "venv/internal/package_indexes.hpp"

namespace venvoy::venv::internal {

// What was noticed while an installer looked around.
struct IndexFindings {
  std::optional<Error> failure;         // the first time that an index could not be asked
  std::vector<std::string> unlisted;    // projects that a lock file does not have
  std::vector<std::string> dateless;    // projects with files of which nobody knows when they were uploaded
  std::vector<std::string> mismatched;  // "helper 1.0": no file has a hash of the lock file
};

// Lives on the loop's thread, for one run of an installer. The job outlives it.
class SteeredIndex {
 public:
  SteeredIndex(const Job& job, IndexPlaces places, IndexRule rule);

  // "NAME=value": what makes pip look here and nowhere else, also where it installs what a build requires. `scratch` is
  // a folder for files that only we and pip may read.
  std::vector<std::string> variables(const std::filesystem::path& scratch) const;

  // To be awaited before this goes.
  boost::asio::awaitable<void> finish();

  const IndexFindings& findings() const noexcept { return findings_; }

 private:
  struct Page {
    explicit Page(const boost::asio::any_io_executor& executor) : done(executor) {}
    os::Event done;
    std::string text;
  };
  boost::asio::awaitable<std::string> page_of(std::string project);
  boost::asio::awaitable<std::string> make_page(std::string project);
  void note(const std::string& project, const IndexView& view);

  const Job& job_;
  IndexRule rule_;
  CancelSource cancel_;
  CancelToken::Registration registration_;
  std::shared_ptr<PackageIndexes> indexes_;
  std::mutex one_at_a_time_;  // for the pool's threads that use them
  std::map<std::string, std::shared_ptr<Page>> pages_;
  IndexFindings findings_;
  IndexServer server_;
};

}  // namespace venvoy::venv::internal
