// Archives of policies: plain or compressed tar, or zip, recognised by content (spec/governance.md 1.1, 8.4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>

namespace venvoy::governance {

struct ArchiveLimits {
  std::uint64_t max_bytes = std::uint64_t{512} << 20;  // unpacked
  std::size_t max_entries = 20'000;
  std::size_t max_name_bytes = 1024;
  std::size_t max_name_parts = 32;
};

// Writes the archive's top folder `code/` into `target`, a folder that exists and is empty; other members are read
// over. Files get the modes 0644 or 0755 and no owner. Throws an Error (document) for a member that has an absolute
// name or one with "..", for links that lead outside (others become copies), devices, FIFOs and sockets, for names
// given twice and for an archive without `code/function.py`; (limit) beyond the limits; (io). Then `target` holds
// rubbish, but nothing was written outside.
void extract_policy_archive(std::string_view archive, const std::filesystem::path& target,
                            const ArchiveLimits& limits = {});

}  // namespace venvoy::governance
