// SHA-256, of texts and of files.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace venvoy::cache {

class Sha256 {
 public:
  // Throws an Error (internal) if the library does not have the algorithm.
  Sha256();
  void update(std::string_view bytes);
  // 64 lower-case digits. Ends the hash: call it once.
  std::string hex();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

std::string sha256_hex(std::string_view bytes);

// Of a regular file. Nothing if there is none at that path, if it is a symbolic link, or if it cannot be read; throws
// an Error (io) when descriptors run out.
std::optional<std::string> sha256_of_file(const std::filesystem::path& path);

}  // namespace venvoy::cache
