// Opening and making what others remove at any time.
#pragma once

#include <filesystem>

#include "os/fd.hpp"

namespace venvoy::cache::internal {

// openat(2) without following a symbolic link at the end and without waiting for the other end of a FIFO; new files get
// mode 0600. Empty if there is no such thing or we may not have it. Throws an Error (io) when descriptors or memory run
// out: that says nothing about the file, and must not make it look lost.
os::Fd open_if_there(int parent, const char* path, int flags);

// mkdir(2) with mode 0700, whatever the umask. True if it was made; false if something of that name is there, or if the
// directory it belongs in has been removed. Throws an Error (io) otherwise.
bool make_directory_if_possible(const std::filesystem::path& path);

}  // namespace venvoy::cache::internal
