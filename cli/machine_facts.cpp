#include "cli/machine_facts.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/quantity.hpp"
#include "cli/version.hpp"
#include "os/files.hpp"

namespace venvoy::cli {

namespace {

constexpr std::size_t max_release_file = std::size_t{64} << 10;

// "Debian GNU/Linux 12 (bookworm)", from /etc/os-release.
std::string distribution() {
  try {
    const std::string text = os::read_file_if_there("/etc/os-release", max_release_file).value_or("");
    constexpr std::string_view key = "PRETTY_NAME=";
    for (std::string_view line : split_lines(text)) {
      if (!line.starts_with(key)) continue;
      line.remove_prefix(key.size());
      if (line.size() > 1 && line.front() == '"' && line.back() == '"') line = line.substr(1, line.size() - 2);
      return std::string(line);
    }
  } catch (const Error&) {
    // A report without it is good enough.
  }
  return {};
}

}  // namespace

std::string host_name() {
  utsname name{};
  return ::uname(&name) == 0 ? name.nodename : "";
}

std::vector<std::pair<std::string, std::string>> machine_facts() {
  std::vector<std::pair<std::string, std::string>> facts;
  utsname name{};
  if (::uname(&name) == 0) {
    facts.emplace_back("Host", name.nodename);
    if (const std::string system = distribution(); !system.empty()) facts.emplace_back("System", system);
    facts.emplace_back("Kernel", fmt::format("{} {} {}", name.sysname, name.release, name.machine));
  }
  if (const long processors = ::sysconf(_SC_NPROCESSORS_ONLN); processors > 0)
    facts.emplace_back("Processors", std::to_string(processors));
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_size = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && page_size > 0)
    facts.emplace_back("Memory", size_text(static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_size)));
  facts.emplace_back("venvoy", version_text);
  return facts;
}

}  // namespace venvoy::cli
