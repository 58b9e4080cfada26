#include "venv/internal/steered_index.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "os/files.hpp"
#include "os/on_pool.hpp"

namespace venvoy::venv::internal {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr std::size_t max_netrc = 1u << 20;

std::string variable(const os::Environment& environment, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const auto value = os::get_variable(environment, name); value && !value->empty()) return *value;
  return {};
}

// The user's own file, if there is one that can be read.
std::string own_netrc(const os::Environment& environment) {
  std::string path = variable(environment, {"NETRC"});
  if (path.empty()) path = variable(environment, {"HOME"}) + "/.netrc";
  try {
    return os::read_file_if_there(path, max_netrc).value_or("");
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

SteeredIndex::SteeredIndex(const Job& job, IndexPlaces places, IndexRule rule)
    : job_(job),
      rule_(std::move(rule)),
      registration_(job.cancel.on_cancel([this] { cancel_.cancel(); })),
      indexes_(std::make_shared<PackageIndexes>(std::move(places), job.services.environment, cancel_.token())),
      server_(job.services.executor, [this](std::string project) { return page_of(std::move(project)); }) {}

std::vector<std::string> SteeredIndex::variables(const fs::path& scratch) const {
  const os::Environment& environment = job_.services.environment;
  const fs::path nowhere = scratch / "no-links";
  os::make_directory(nowhere, 0700);
  // Named twice, and an empty folder for links, since variables that are empty would leave it to the files.
  std::vector<std::string> variables = {"PIP_INDEX_URL=" + server_.url(), "PIP_EXTRA_INDEX_URL=" + server_.url(),
                                        "PIP_FIND_LINKS=" + nowhere.string(), "PIP_NO_INDEX=0"};
  // Never through a proxy; which pip's own option would do whatever NO_PROXY says.
  const std::string except = variable(environment, {"no_proxy", "NO_PROXY"});
  for (const char* name : {"no_proxy", "NO_PROXY"})
    variables.push_back(fmt::format("{}=127.0.0.1{}{}", name, except.empty() ? "" : ",", except));
  const IndexPlaces& places = indexes_->places();
  if (!places.proxy.empty()) {
    for (const char* name : {"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"})
      variables.push_back(fmt::format("{}={}", name, places.proxy));
    // It may stand in a file, from which no variable takes it away: without the files then.
    variables.push_back("PIP_PROXY=");
    variables.push_back("PIP_CONFIG_FILE=/dev/null");
    if (!places.certificates.empty()) variables.push_back("PIP_CERT=" + places.certificates);
    if (!places.trusted_hosts.empty())
      variables.push_back(fmt::format("PIP_TRUSTED_HOST={}", fmt::join(places.trusted_hosts, " ")));
  }
  if (const std::string logins = netrc_for(places); !logins.empty()) {
    const fs::path file = scratch / "netrc";
    os::write_file_atomically(file, logins + own_netrc(environment), 0600);
    variables.push_back("NETRC=" + file.string());
  }
  return variables;
}

asio::awaitable<void> SteeredIndex::finish() {
  cancel_.cancel();
  co_await server_.finish();
}

// Asked again while it is made (pip's patience may be shorter than a server is slow), a page is made once.
asio::awaitable<std::string> SteeredIndex::page_of(std::string project) {
  std::shared_ptr<Page>& place = pages_[project];
  if (place) {
    const std::shared_ptr<Page> page = place;
    const auto quietly = asio::as_tuple(asio::use_awaitable);
    while (!page->done.fired()) co_await page->done.wait(quietly);
    co_return page->text;
  }
  place = std::make_shared<Page>(job_.services.executor);
  const std::shared_ptr<Page> page = place;
  try {
    std::string text = co_await make_page(std::move(project));
    page->text = std::move(text);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::cancelled && !findings_.failure) findings_.failure = error;
  } catch (const std::exception& error) {
    if (!findings_.failure) findings_.failure = Error(ErrorCode::internal, error.what());
  }
  page->done.fire();
  co_return page->text;
}

asio::awaitable<std::string> SteeredIndex::make_page(std::string project) {
  struct Made {
    IndexView view;
    std::string text;
  };
  Work<Made> make = [this, &project](const CancelToken&) {
    const std::lock_guard lock(one_at_a_time_);
    Made made;
    made.view = view_of(project, indexes_->files_of(project), rule_);
    if (!made.view.files.empty()) made.text = write_index_page(project, made.view.files);
    return made;
  };
  Made made = co_await os::on_pool<Made>(job_.services.pool, cancel_.token(), std::move(make));
  note(project, made.view);
  co_return std::move(made.text);
}

void SteeredIndex::note(const std::string& project, const IndexView& view) {
  if (view.unlisted) findings_.unlisted.push_back(project);
  if (view.dateless) findings_.dateless.push_back(project);
  for (const std::string& version : view.mismatched) findings_.mismatched.push_back(project + " " + version);
}

}  // namespace venvoy::venv::internal
