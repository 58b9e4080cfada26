#include "cache/sha256.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/error.hpp"
#include "cache/internal/open_file.hpp"

namespace venvoy::cache {
namespace {

void require(int ok) {
  if (ok != 1) throw Error(ErrorCode::internal, "SHA-256 is not available");
}

os::Fd open_regular_file(const std::filesystem::path& path) {
  os::Fd file = internal::open_if_there(AT_FDCWD, path.c_str(), O_RDONLY);
  struct stat status;
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return file;
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const noexcept {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  require(context_ ? 1 : 0);
  require(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
}

void Sha256::update(std::string_view bytes) {
  require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned length = 0;
  require(EVP_DigestFinal_ex(context_.get(), digest.data(), &length));
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (unsigned i = 0; i < length; ++i) result.append({digits[digest[i] >> 4], digits[digest[i] & 15]});
  return result;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

std::optional<std::string> sha256_of_file(const std::filesystem::path& path) {
  const os::Fd file = open_regular_file(path);
  if (!file) return std::nullopt;
  Sha256 hash;
  std::array<char, 65536> block;
  for (;;) {
    const ssize_t count = ::read(file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) return hash.hex();
    hash.update({block.data(), static_cast<std::size_t>(count)});
  }
}

}  // namespace venvoy::cache
