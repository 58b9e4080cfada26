#include "venv/internal/index_page.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <libxml/HTMLparser.h>
#include <limits>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "source/http_client.hpp"
#include "venv/internal/origin.hpp"

namespace venvoy::venv::internal {
namespace {

using nlohmann::json;

Error no_page(const std::string& why) {
  return Error(ErrorCode::network, fmt::format("its answer is no page of a package index: {}", why));
}

// What stands in attributes and addresses of the page that we write; anything else would be a page of somebody else's.
bool is_printable(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

void add_file(std::vector<IndexFile>& files, IndexFile file, const std::string& base) {
  if (files.size() >= max_index_files)
    throw Error(ErrorCode::limit, fmt::format("a page of the package index lists more than {} files", max_index_files));
  const auto url = source::join_url(base, file.url);
  if (!url || file.name.empty() || !is_printable(file.name) || !is_printable(*url)) return;
  file.url = url->substr(0, url->find('#'));
  files.push_back(std::move(file));
}

// --- JSON (PEP 691) ---

std::string metadata_in(const json& file) {
  for (const char* key : {"core-metadata", "dist-info-metadata"}) {
    const auto place = file.find(key);
    if (place == file.end()) continue;
    if (place->is_boolean()) return place->get<bool>() ? "true" : "";
    if (const auto hash = read_hash("sha256:" + text_in(*place, "sha256"))) return "sha256=" + hash->substr(7);
    return place->is_object() ? "true" : "";
  }
  return {};
}

std::optional<std::string> yanked_in(const json& file) {
  const auto place = file.find("yanked");
  if (place == file.end()) return std::nullopt;
  if (place->is_string()) return place->get<std::string>();
  if (place->is_boolean() && place->get<bool>()) return std::string();
  return std::nullopt;
}

IndexFile file_in(const json& entry) {
  IndexFile file{text_in(entry, "filename"),
                 text_in(entry, "url"),
                 {},
                 text_in(entry, "requires-python"),
                 yanked_in(entry),
                 metadata_in(entry),
                 text_in(entry, "upload-time"),
                 false};
  const auto hashes = entry.find("hashes");
  if (hashes != entry.end() && hashes->is_object())
    for (const auto& [algorithm, digits] : hashes->items())
      if (digits.is_string())
        if (const auto hash = read_hash(fmt::format("{}:{}", algorithm, digits.get<std::string>())))
          file.hashes.push_back(*hash);
  return file;
}

std::vector<IndexFile> read_json_page(std::string_view body, const std::string& url) {
  const json page = json::parse(body, nullptr, false);
  const auto list = page.is_object() ? page.find("files") : page.end();
  if (!page.is_object() || list == page.end() || !list->is_array()) throw no_page("it has no list of files");
  std::vector<IndexFile> files;
  for (const json& entry : *list)
    if (entry.is_object()) add_file(files, file_in(entry), url);
  return files;
}

// --- HTML (PEP 503) ---

std::optional<std::string> attribute(xmlNode* node, const char* name) {
  const auto* const key = reinterpret_cast<const xmlChar*>(name);
  if (!xmlHasProp(node, key)) return std::nullopt;
  const std::unique_ptr<xmlChar, void (*)(xmlChar*)> value(xmlGetProp(node, key), [](xmlChar* text) { xmlFree(text); });
  return value ? std::string(reinterpret_cast<const char*>(value.get())) : std::string();
}

std::string text_of(xmlNode* node) {
  const std::unique_ptr<xmlChar, void (*)(xmlChar*)> value(xmlNodeGetContent(node),
                                                           [](xmlChar* text) { xmlFree(text); });
  return value ? std::string(trim(reinterpret_cast<const char*>(value.get()))) : std::string();
}

bool is_element(const xmlNode* node, const char* name) {
  return node->type == XML_ELEMENT_NODE && xmlStrcasecmp(node->name, reinterpret_cast<const xmlChar*>(name)) == 0;
}

// "…#sha256=<digits>"
std::vector<std::string> hashes_in_fragment(const std::string& address) {
  const std::size_t mark = address.find('#');
  if (mark == std::string::npos) return {};
  std::string fragment = address.substr(mark + 1);
  const std::size_t equals = fragment.find('=');
  if (equals == std::string::npos) return {};
  fragment[equals] = ':';
  const auto hash = read_hash(std::string_view(fragment).substr(0, fragment.find('&')));
  return hash ? std::vector<std::string>{*hash} : std::vector<std::string>();
}

IndexFile file_in(xmlNode* anchor) {
  const std::string address = attribute(anchor, "href").value_or("");
  IndexFile file{text_of(anchor),
                 address,
                 hashes_in_fragment(address),
                 attribute(anchor, "data-requires-python").value_or(""),
                 attribute(anchor, "data-yanked"),
                 {},
                 {},
                 false};
  auto metadata = attribute(anchor, "data-core-metadata");
  if (!metadata) metadata = attribute(anchor, "data-dist-info-metadata");
  if (metadata && *metadata != "false") file.metadata = metadata->starts_with("sha256=") ? *metadata : "true";
  return file;
}

// In the order of the document, without recursion: its depth is somebody else's.
xmlNode* next_node(xmlNode* node) {
  if (node->children && node->type == XML_ELEMENT_NODE) return node->children;
  while (node && !node->next) node = node->parent && node->parent->type == XML_ELEMENT_NODE ? node->parent : nullptr;
  return node ? node->next : nullptr;
}

std::vector<IndexFile> read_html_page(std::string_view body, const std::string& url) {
  constexpr int options = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET;
  const std::unique_ptr<xmlDoc, void (*)(xmlDoc*)> document(
      htmlReadMemory(body.data(), static_cast<int>(body.size()), nullptr, "utf-8", options), xmlFreeDoc);
  std::vector<IndexFile> files;
  std::string base = url;
  xmlNode* const root = document ? xmlDocGetRootElement(document.get()) : nullptr;
  for (xmlNode* node = root; node; node = next_node(node)) {
    if (is_element(node, "base")) base = source::join_url(url, attribute(node, "href").value_or("")).value_or(base);
    if (is_element(node, "a")) add_file(files, file_in(node), base);
  }
  return files;
}

// --- names ---

constexpr std::array<std::string_view, 5> archive_ends = {".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tar.xz"};

bool is_wheel(std::string_view name) {
  return name.ends_with(".whl");
}
bool is_archive(std::string_view name) {
  return std::any_of(archive_ends.begin(), archive_ends.end(), [&](auto end) { return name.ends_with(end); });
}

// --- the rule ---

// "2026-01-02T03:04:05.678Z" to the second; times of an index are UTC.
bool is_before(const std::string& uploaded, const std::string& date) {
  constexpr std::size_t to_the_second = 19;
  return uploaded.compare(0, to_the_second, date, 0, to_the_second) < 0;
}

// "2026-01-02T03:04:05.678Z" → seconds since 1970; nothing for what is no time.
std::optional<std::int64_t> seconds_of(const std::string& text) {
  std::array<int, 6> parts = {};
  constexpr std::array<std::size_t, 6> starts = {0, 5, 8, 11, 14, 17};
  if (text.size() < 20 || text[10] != 'T') return std::nullopt;
  for (std::size_t index = 0; index < parts.size(); ++index) {
    const char* const begin = text.data() + starts[index];
    const char* const end = begin + (index == 0 ? 4 : 2);
    const auto result = std::from_chars(begin, end, parts[index]);
    if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  }
  const std::chrono::year_month_day day{std::chrono::year(parts[0]), std::chrono::month(unsigned(parts[1])),
                                        std::chrono::day(unsigned(parts[2]))};
  if (!day.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  return ((days * 24 + parts[3]) * 60 + parts[4]) * 60 + parts[5];
}

bool has_one_of(const IndexFile& file, const std::vector<std::string>& hashes) {
  return std::any_of(file.hashes.begin(), file.hashes.end(), [&](const std::string& hash) {
    return std::find(hashes.begin(), hashes.end(), hash) != hashes.end();
  });
}

void keep_those_before(IndexView& view, const std::string& date) {
  if (date.empty()) return;
  const auto has_no_date = [](const IndexFile& file) { return !file.from_links && file.uploaded.empty(); };
  view.dateless = std::any_of(view.files.begin(), view.files.end(), has_no_date);
  std::erase_if(view.files, [&](const IndexFile& file) {
    return has_no_date(file) || (!file.from_links && !is_before(file.uploaded, date));
  });
}

void keep_those_pinned(IndexView& view, const std::vector<Pin>& pins) {
  std::vector<std::string> hashes;
  for (const Pin& pin : pins) {
    if (pin.hashes.empty()) return;  // the version alone is pinned, which the constraints say
    hashes.insert(hashes.end(), pin.hashes.begin(), pin.hashes.end());
    bool there = false, matches = false;
    for (const IndexFile& file : view.files) {
      if (!is_of_version(file.name, pin.version)) continue;
      there = true;
      matches = matches || has_one_of(file, pin.hashes);
    }
    if (there && !matches) view.mismatched.push_back(pin.version);
  }
  std::erase_if(view.files, [&](const IndexFile& file) { return !has_one_of(file, hashes); });
  // What the page we write promises is what the lock file does.
  for (IndexFile& file : view.files)
    std::erase_if(file.hashes, [&](const std::string& hash) {
      return std::find(hashes.begin(), hashes.end(), hash) == hashes.end();
    });
}

// --- writing ---

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
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
        result += c;
    }
  }
  return result;
}

std::string fragment_of(const IndexFile& file) {
  if (file.hashes.empty()) return {};
  // Every installer knows SHA-256, and any of the hashes will do.
  const auto best = std::find_if(file.hashes.begin(), file.hashes.end(),
                                 [](const std::string& hash) { return hash.starts_with("sha256:"); });
  std::string hash = best == file.hashes.end() ? file.hashes.front() : *best;
  hash[hash.find(':')] = '=';
  return "#" + hash;
}

}  // namespace

std::vector<IndexFile> read_index_page(std::string_view content_type, std::string_view body, const std::string& url) {
  if (body.size() > max_index_page)
    throw Error(ErrorCode::limit, fmt::format("a page of the package index is longer than {} bytes", max_index_page));
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  if (type == "application/vnd.pypi.simple.v1+json" || type == "application/json") return read_json_page(body, url);
  if (type.empty() || type == "text/html" || type == "application/vnd.pypi.simple.v1+html")
    return read_html_page(body, url);
  throw no_page(fmt::format("its type is '{}'", to_valid_utf8(type)));
}

bool is_file_of(const std::string& project, std::string_view file) {
  if (is_wheel(file)) return normalised_name(std::string(file.substr(0, file.find('-')))) == project;
  if (!is_archive(file)) return false;
  for (std::size_t dash = file.find('-'); dash != std::string_view::npos; dash = file.find('-', dash + 1)) {
    const bool version_follows = dash + 1 < file.size() && (is_digit(file[dash + 1]) || file[dash + 1] == 'v');
    if (version_follows && normalised_name(std::string(file.substr(0, dash))) == project) return true;
  }
  return false;
}

bool is_of_version(std::string_view file, std::string_view version) {
  const std::string start = fmt::format("-{}", version);
  if (is_wheel(file)) return file.find(start + "-") != std::string_view::npos;
  return std::any_of(archive_ends.begin(), archive_ends.end(),
                     [&](std::string_view end) { return file.ends_with(start + std::string(end)); });
}

std::optional<std::int64_t> time_of_release(const std::vector<IndexFile>& files, std::string_view version) {
  std::optional<std::int64_t> after;
  for (const IndexFile& file : files) {
    if (!is_of_version(file.name, version)) continue;
    const auto time = seconds_of(file.uploaded);
    if (time && (!after || *time >= *after)) after = *time + 1;
  }
  return after;
}

IndexRule rule_for(const std::vector<Pin>& pins, std::string before) {
  IndexRule rule;
  rule.before = std::move(before);
  rule.pins.emplace();
  for (const Pin& pin : pins) (*rule.pins)[normalised_name(pin.name)].push_back(pin);
  return rule;
}

IndexView view_of(const std::string& project, std::vector<IndexFile> files, const IndexRule& rule) {
  IndexView view;
  view.files = std::move(files);
  if (!rule.pins || (is_never_locked(project) && !rule.pins->contains(project))) {
    keep_those_before(view, rule.before);
    return view;
  }
  const auto pins = rule.pins->find(project);
  if (pins == rule.pins->end()) {
    view.unlisted = true;
    view.files.clear();
    return view;
  }
  keep_those_pinned(view, pins->second);
  return view;
}

std::string write_index_page(const std::string& project, const std::vector<IndexFile>& files) {
  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html><head><meta name=\"pypi:repository-version\" content=\"1.0\"><title>{0}</title></head>\n"
      "<body>\n",
      escaped(project));
  for (const IndexFile& file : files) {
    page += fmt::format("<a href=\"{}{}\"", escaped(file.url), fragment_of(file));
    if (!file.requires_python.empty())
      page += fmt::format(" data-requires-python=\"{}\"", escaped(file.requires_python));
    if (file.yanked) page += fmt::format(" data-yanked=\"{}\"", escaped(*file.yanked));
    // Two names: the first one is what pip of before 23.3 knows.
    if (!file.metadata.empty())
      page += fmt::format(" data-dist-info-metadata=\"{0}\" data-core-metadata=\"{0}\"", escaped(file.metadata));
    page += fmt::format(">{}</a><br>\n", escaped(file.name));
  }
  return page + "</body></html>\n";
}

}  // namespace venvoy::venv::internal
