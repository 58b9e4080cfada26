// A file descriptor with an owner.
#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>

namespace venvoy::os {

class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int number) noexcept : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }

  int get() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }
  [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }
  void reset() noexcept;

 private:
  int number_ = -1;
};

// Both ends close on exec.
struct Pipe {
  Fd read_end;
  Fd write_end;
};
Pipe make_pipe();

// open(2) with O_CLOEXEC; throws an Error (io) that names the path.
Fd open_file(const std::filesystem::path& path, int flags, unsigned mode = 0600);

// This process's soft limit on open files (RLIMIT_NOFILE).
std::uint64_t soft_file_limit() noexcept;
// Raises it to the hard limit and returns the old one, which its children should get (see Keeper). For programs; a
// library leaves the process as it is.
std::uint64_t raise_file_limit() noexcept;

}  // namespace venvoy::os
