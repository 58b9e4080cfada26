#include "venv/internal/package_indexes.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/sha256.hpp"
#include "base/text.hpp"
#include "os/files.hpp"
#include "os/on_pool.hpp"
#include "os/run_program.hpp"
#include "venv/internal/origin.hpp"
#include "venv/internal/run_installer.hpp"

namespace venvoy::venv::internal {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int max_attempts = 3;
constexpr std::chrono::milliseconds pause_between_attempts{500};
constexpr std::chrono::seconds longest_timeout{60};
constexpr std::chrono::seconds longest_connect{20};
constexpr int max_index_redirects = 5;
constexpr std::string_view page_types =
    "Accept: application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";
constexpr const char* check_the_index =
    "check the network, its proxy, or `indexUrl` in the configuration; what is installed already runs without it";

Error index_error(ErrorCode code, const std::string& shown, const std::string& why) {
  return Error(code, fmt::format("the package index {} cannot be used: {}", shown, why)).with_hint(check_the_index);
}

std::vector<std::string> texts_of(const nlohmann::json& object, const char* name) {
  std::vector<std::string> texts;
  const auto place = object.find(name);
  if (place == object.end() || !place->is_array()) return texts;
  for (const auto& text : *place)
    if (text.is_string() && !text.get<std::string>().empty()) texts.push_back(text.get<std::string>());
  return texts;
}

IndexPlaces read_places(const nlohmann::json& answer) {
  IndexPlaces places;
  places.indexes = texts_of(answer, "indexes");
  places.find_links = texts_of(answer, "find_links");
  places.proxy = text_in(answer, "proxy");
  places.certificates = text_in(answer, "certificates");
  places.trusted_hosts = texts_of(answer, "trusted_hosts");
  places.version = text_in(answer, "version");
  if (const auto timeout = answer.find("timeout"); timeout != answer.end() && timeout->is_number())
    places.timeout = std::chrono::seconds(static_cast<long>(std::clamp(timeout->get<double>(), 1.0, 60.0)));
  return places;
}

bool is_http(std::string_view place) {
  return place.starts_with("http://") || place.starts_with("https://");
}

// Ours come before the installer's own, as on its command line.
void apply_settings(IndexPlaces& places, const Settings& settings) {
  if (settings.index_url) {
    if (places.indexes.empty()) places.indexes.emplace_back();
    places.indexes.front() = *settings.index_url;
  }
  if (!settings.extra_index_urls.empty()) {
    if (!places.indexes.empty()) places.indexes.resize(1);
    places.indexes.insert(places.indexes.end(), settings.extra_index_urls.begin(), settings.extra_index_urls.end());
  }
  if (!settings.find_links.empty()) places.find_links = settings.find_links;
  if (!settings.offline) return;
  std::erase_if(places.indexes, is_http);
  std::erase_if(places.find_links, is_http);
}

bool is_redirect(long status) noexcept {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Folders and files on this machine, as a path.
std::optional<fs::path> local_path(const std::string& place) {
  if (is_http(place)) return std::nullopt;
  if (place.starts_with("file:")) return fs::path(source::parse_url(place).local_path());
  return fs::path(place);
}

std::string file_url(const fs::path& path) {
  std::string url = "file://";
  for (const char c : path.string()) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) || std::string_view("/-._~").find(c) != std::string_view::npos;
    url += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return url;
}

std::string hash_of_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 64u << 10> buffer;
  Sha256 hash;
  while (file.read(buffer.data(), buffer.size()) || file.gcount() > 0)
    hash.update(std::string_view(buffer.data(), static_cast<std::size_t>(file.gcount())));
  if (file.bad()) throw Error(ErrorCode::io, fmt::format("cannot read '{}'", path.string()));
  return "sha256:" + hash.hex();
}

std::vector<IndexFile> files_in(const fs::path& folder, const std::string& project) {
  std::vector<IndexFile> files;
  std::error_code absent;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, absent)) {
    const std::string name = entry.path().filename();
    if (!is_file_of(project, name)) continue;
    const fs::path path = fs::absolute(entry.path());
    files.push_back({name, file_url(path), {hash_of_file(path)}, {}, std::nullopt, {}, {}, true});
  }
  return files;
}

std::string quoted_for_netrc(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

}  // namespace

struct PackageIndexes::Server {
  std::string url;  // without a slash at its end; may hold a login
  std::string shown;
  bool is_page = false;  // the address of findLinks: one page, not one for each project
  std::unique_ptr<source::HttpClient> client;
};

PackageIndexes::PackageIndexes(IndexPlaces places, const os::Environment& environment, CancelToken cancel)
    : places_(std::move(places)), environment_(environment), cancel_(std::move(cancel)) {
  // Where pip reads certificates, in its order.
  std::string certificates = places_.certificates;
  for (const char* name : {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"})
    if (certificates.empty()) certificates = os::get_variable(environment_, name).value_or("");
  if (!certificates.empty()) os::set_variable(environment_, "GIT_SSL_CAINFO", certificates);
  const auto add = [&](const std::string& url, bool is_page) {
    if (!is_http(url)) return;
    auto server = std::make_unique<Server>();
    server->url = url;
    while (!is_page && server->url.ends_with('/')) server->url.pop_back();
    server->shown = source::safe_url(server->url);
    server->is_page = is_page;
    source::TransportOptions options;
    options.environment = environment_;
    options.low_speed_time = std::min(places_.timeout, longest_timeout);
    options.connect_timeout = std::min(places_.timeout, longest_connect);
    server->client = std::make_unique<source::HttpClient>(options, server->shown, cancel_);
    servers_.push_back(std::move(server));
  };
  for (const std::string& url : places_.indexes) add(url, false);
  for (const std::string& url : places_.find_links) add(url, true);
}

PackageIndexes::~PackageIndexes() = default;

std::vector<IndexFile> PackageIndexes::files_of(const std::string& project) {
  std::vector<IndexFile> files;
  for (const auto& server : servers_) {
    std::vector<IndexFile> found = ask(*server, project);
    files.insert(files.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  }
  for (const std::string& place : places_.find_links) {
    const auto folder = local_path(place);
    if (!folder) continue;
    std::vector<IndexFile> found = files_in(*folder, project);
    files.insert(files.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  }
  // An index may be a folder with one for each project.
  for (const std::string& place : places_.indexes) {
    const auto folder = local_path(place);
    if (!folder) continue;
    const fs::path page = *folder / project / "index.html";
    const auto text = os::read_file_if_there(page, max_index_page);
    if (!text) continue;
    std::vector<IndexFile> found = read_index_page("text/html", *text, file_url(fs::absolute(page)));
    files.insert(files.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  }
  return files;
}

// A failure that comes at once may pass; one that took as long as the time-out has been waited for long enough.
std::vector<IndexFile> PackageIndexes::ask(Server& server, const std::string& project) {
  const auto begin = Clock::now();
  for (int attempt = 1;; ++attempt) {
    try {
      std::vector<IndexFile> files = ask_once(server, project);
      if (!server.is_page) return files;
      std::erase_if(files, [&](const IndexFile& file) { return !is_file_of(project, file.name); });
      for (IndexFile& file : files) file.from_links = true;
      return files;
    } catch (Error& error) {
      if (error.code() == ErrorCode::network) error.with_hint(check_the_index);
      if (error.code() != ErrorCode::network || attempt == max_attempts || Clock::now() - begin >= places_.timeout)
        throw;
    }
    std::this_thread::sleep_for(pause_between_attempts);
    cancel_.check();
  }
}

std::vector<IndexFile> PackageIndexes::ask_once(Server& server, const std::string& project) {
  source::GitUrl url = source::parse_url(server.is_page ? server.url : fmt::format("{}/{}/", server.url, project));
  source::HttpClient& client = *server.client;
  const auto login = url.user.empty() ? std::nullopt : std::make_optional(source::Login{url.user, url.password});
  const std::string first_host = url.host_and_port();
  const auto fail = [&](ErrorCode code, const std::string& why) { return index_error(code, server.shown, why); };
  for (int redirects = 0;; ++redirects) {
    source::HttpRequest request;
    request.url = url;
    request.headers = {std::string(page_types)};
    // The login is the server's that the address names, and nobody else's.
    if (url.host_and_port() == first_host) request.login = login;
    request.max_response = max_index_page;
    request.user_agent = "venvoy";
    request.proxy = places_.proxy;
    const auto& trusted = places_.trusted_hosts;
    request.verify = std::none_of(trusted.begin(), trusted.end(), [&](const std::string& host) {
      return host == url.host || host == url.host_and_port();
    });
    client.begin(std::move(request));
    const long status = client.status();
    if (!is_redirect(status)) break;
    if (redirects == max_index_redirects) throw fail(ErrorCode::network, "too many redirects");
    source::GitUrl next = source::parse_url(client.redirect_target());
    const bool upgrade = url.scheme == source::UrlScheme::http && next.scheme == source::UrlScheme::https;
    if (next.scheme != url.scheme && !upgrade)
      throw fail(ErrorCode::network, fmt::format("it redirects to {}, another scheme", next.shown()));
    url = std::move(next);
  }
  const long status = client.status();
  if (status == 404 || status == 410) return {};
  if (status == 401 || status == 403)
    throw fail(ErrorCode::authentication,
               fmt::format("it {} (status {})", login ? "refused the login" : "wants a login", status))
        .with_hint("logins come from netrc, or from the address of the index in the installer's own configuration");
  if (status == 407) throw fail(ErrorCode::authentication, "the proxy wants a login");
  if (status != 200) throw fail(ErrorCode::network, fmt::format("it answered with status {}", status));
  std::string body;
  std::array<char, 64u << 10> buffer;
  while (const std::size_t bytes = client.read(buffer.data(), buffer.size())) body.append(buffer.data(), bytes);
  try {
    return read_index_page(client.content_type(), body, url.without_login());
  } catch (const Error& error) {
    throw fail(error.code(), error.message());
  }
}

asio::awaitable<IndexPlaces> places_of_pip(const Job& job, Target target) {
  Work<fs::path> find_script = [](const CancelToken&) { return os::find_support_file("pip_places.py"); };
  const fs::path script = co_await os::on_pool<fs::path>(job.services.pool, job.cancel, std::move(find_script));
  os::ProgramSpec spec;
  spec.program = target.environment / "bin" / "python";
  spec.arguments = {"-I", script.string(), target.tools.string()};
  spec.environment = job.services.environment;
  spec.working_directory = "/";
  os::ProgramLimits limits;
  const os::ProgramResult result = co_await os::run_program(job.services.keeper, std::move(spec), limits, job.cancel);
  const auto answer = nlohmann::json::parse(result.output, nullptr, false);
  if (!result.exit.ok() || !answer.is_object())
    throw Error(ErrorCode::install,
                fmt::format("error in pip installing {}: pip cannot be asked for its configuration ({}):\n{}",
                            job.shown, result.exit.text(), to_valid_utf8(trim(tail(result.error_tail, 2000)))));
  IndexPlaces places = read_places(answer);
  apply_settings(places, job.settings);
  co_return places;
}

asio::awaitable<IndexPlaces> places_of_uv(const Job& job, const Installer& installer) {
  const Command command = installer.tell_indexes(job.settings);
  os::ProgramSpec spec;
  spec.program = command.program;
  spec.arguments = command.arguments;
  spec.environment = job.services.environment;
  spec.working_directory = "/";
  os::ProgramLimits limits;
  const os::ProgramResult result = co_await os::run_program(job.services.keeper, std::move(spec), limits, job.cancel);
  IndexPlaces places;
  for (const std::string_view line : split_lines(result.output))
    for (const std::string_view option : {"--index-url ", "--extra-index-url "})
      if (line.starts_with(option)) places.indexes.emplace_back(trim(line.substr(option.size())));
  co_return places;
}

std::string netrc_for(const IndexPlaces& places) {
  std::string text;
  for (const std::string& place : places.indexes) {
    if (!is_http(place)) continue;
    const source::GitUrl url = source::parse_url(place + "/");
    if (url.user.empty()) continue;
    text += fmt::format("machine {} login {} password {}\n", url.host, quoted_for_netrc(url.user),
                        quoted_for_netrc(url.password));
  }
  return text;
}

std::string shown_places(const IndexPlaces& places) {
  std::string text;
  for (const std::string& place : places.indexes)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", source::safe_url(place));
  return text;
}

}  // namespace venvoy::venv::internal
