// SHA-256.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace venvoy {

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

}  // namespace venvoy
