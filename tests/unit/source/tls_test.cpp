#include <cstdio>
#include <memory>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "git_fixture.hpp"
#include "source/git_mirror.hpp"
#include "support/catch.hpp"

namespace venvoy::source::test {
namespace {

// A key and a certificate for 127.0.0.1 that nobody has signed but itself.
void make_certificate(const fs::path& path) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  REQUIRE(key);
  REQUIRE(certificate);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("venvoy tests"), -1, -1,
                             0);
  X509_set_issuer_name(certificate.get(), name);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> host(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1"), X509_EXTENSION_free);
  X509_add_ext(certificate.get(), host.get(), -1);
  REQUIRE(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "w"), std::fclose);
  REQUIRE(file);
  REQUIRE(PEM_write_PrivateKey(file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  REQUIRE(PEM_write_X509(file.get(), certificate.get()) == 1);
}

struct SecureWorld {
  SecureWorld() : pem(world.directory / "server.pem") {
    make_certificate(pem);
    server = std::make_unique<TestServer>(world.directory.path(), world.directory / "tls.log", pem);
  }
  std::string secure_url(const std::string& mode) const {
    return "https://127.0.0.1:" + std::to_string(server->tls_port()) + "/" + mode + "/repository/.git";
  }
  std::string fetch(const std::string& url, const std::vector<std::string>& environment) {
    Transport transport = world.transport();
    for (const std::string& variable : environment) transport.options.environment.push_back(variable);
    const GitMirror mirror = world.mirror(url, "mirror" + std::to_string(++number));
    return error_of([&] {
      mirror.fetch({}, transport, {});
      CHECK(mirror.resolve("main").commit.text() == world.third);
    });
  }

  World world;
  fs::path pem;
  std::unique_ptr<TestServer> server;
  int number = 0;
};

TEST_CASE("certificates of authorities are read from the variables of git and curl") {
  SecureWorld secure;
  const std::string url = secure.secure_url("plain");
  for (const char* name : {"GIT_SSL_CAINFO", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    INFO(name);
    CHECK(secure.fetch(url, {std::string(name) + "=" + secure.pem.string()}) == "");
  }
  CHECK_THAT(secure.fetch(url, {}), Catch::ContainsSubstring("cannot fetch " + url + ": no TLS connection: "));
  CHECK_THAT(secure.fetch(url, {"SSL_CERT_FILE=/no/such/file"}),
             Catch::ContainsSubstring("cannot fetch " + url + ": no TLS connection: "));
}

TEST_CASE("a redirect leads from http to https on the same host, with the login, and not back") {
  SecureWorld secure;
  const std::string port = std::to_string(secure.server->port());
  const std::string certificate = "GIT_SSL_CAINFO=" + secure.pem.string();
  const std::string up = "http://user:s3cret@127.0.0.1:" + port + "/redirect-tls/repository/.git";
  CHECK(secure.fetch(up, {certificate}) == "");
  CHECK_THAT(secure.fetch(secure.secure_url("redirect-plain"), {certificate}),
             Catch::ContainsSubstring("another scheme"));
}

}  // namespace
}  // namespace venvoy::source::test
