#include "source/internal/ref_table.hpp"

#include <string_view>

#include "base/text.hpp"
#include "os/files.hpp"
#include "source/commit_id.hpp"

namespace venvoy::source {
namespace {

constexpr std::size_t max_packed_refs = 512u << 20;
constexpr std::size_t max_head = 4096;
constexpr std::size_t id_length = 40;
constexpr std::string_view symbolic = "ref: ";

}  // namespace

RefTable RefTable::load(const std::filesystem::path& repository) {
  RefTable table;
  table.head = std::string(trim(os::read_file_if_there(repository / "HEAD", max_head).value_or("")));
  const std::string text = os::read_file_if_there(repository / "packed-refs", max_packed_refs).value_or("");
  for (const std::string_view line : split_lines(text)) {
    const bool has_name = line.size() > id_length + 1 && line[id_length] == ' ';
    if (!has_name || !CommitId::parse(line.substr(0, id_length))) continue;  // header, peeled tag
    table.refs.emplace(line.substr(id_length + 1), line.substr(0, id_length));
  }
  return table;
}

void RefTable::save(const std::filesystem::path& repository) const {
  std::string text = "# pack-refs with: sorted \n";
  for (const auto& [name, id] : refs) text.append(id).append(" ").append(name).append("\n");
  os::write_file_atomically(repository / "packed-refs", text);
  os::write_file_atomically(repository / "HEAD", head + "\n");
}

std::string RefTable::default_branch() const {
  return head.compare(0, symbolic.size(), symbolic) == 0 ? head.substr(symbolic.size()) : std::string();
}

std::optional<std::string> RefTable::find(const std::string& name) const {
  const auto place = refs.find(name);
  if (place == refs.end()) return std::nullopt;
  return place->second;
}

}  // namespace venvoy::source
