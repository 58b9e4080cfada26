#include "report/masker.hpp"

#include "report/masking_observer.hpp"
#include "schema/json.hpp"
#include "support/catch.hpp"

namespace venvoy::report {
namespace {

using schema::Map;
using schema::Value;

std::string masked_json(Masker& masker, const Value& value) {
  return schema::write_json(masker.masked(value), {.indent = 0});
}
std::string masked_json(const Value& value) {
  Masker masker;
  return masked_json(masker, value);
}

TEST_CASE("names that look like secrets") {
  const Masker masker;
  for (const char* name : {"password",   "Password",  "DB_PASSWORD",  "dbPassword", "user-password",
                           "passwd",     "secret",    "clientSecret", "token",      "accessToken",
                           "API_KEY",    "apiKey",    "apikey",       "APIKey",     "aws_secret_access_key",
                           "privateKey", "ssh_key",   "credentials",  "kubeconfig", "Authorization",
                           "cookie",     "passphrase"})
    CHECK(masker.is_secret_name(name));
  for (const char* name : {"name", "key", "keys", "primary_key", "secretName", "token_url", "password_file",
                           "tokenizer", "secretary", "compass", "max_tokens", "monkey", "author", "", "secret_path"})
    CHECK_FALSE(masker.is_secret_name(name));
}

TEST_CASE("names of a configuration are compared without case and separators") {
  const Masker masker({"pinCode"});
  CHECK(masker.is_secret_name("pin_code"));
  CHECK(masker.is_secret_name("PINCODE"));
  CHECK_FALSE(masker.is_secret_name("pin"));
}

TEST_CASE("what stands under a secret name is masked, whatever it is made of") {
  CHECK(masked_json(Map{{"user", "bob"}, {"password", "hunter2"}}) == R"({"user":"bob","password":"[masked]"})");
  CHECK(masked_json(Map{{"tokens", schema::List{"first-token", Map{{"value", "second-token"}, {"n", 12345}}}}}) ==
        R"({"tokens":["[masked]",{"value":"[masked]","n":"[masked]"}]})");
  CHECK(masked_json(Map{{"token", true}, {"secret", Value()}, {"password", ""}}) ==
        R"({"token":true,"secret":null,"password":""})");
}

TEST_CASE("a value without secrets is the value itself") {
  Masker masker;
  const Value value = Map{{"name", "World"}, {"list", schema::List{1, 2.5, "x"}}};
  const Value same = masker.masked(value);
  CHECK(&same.as_map() == &value.as_map());
}

TEST_CASE("a secret is masked wherever else it turns up") {
  Masker masker;
  CHECK(masked_json(masker, Map{{"message", "logging in with hunter2!"}, {"password", "hunter2"}}) ==
        R"({"message":"logging in with [masked]!","password":"[masked]"})");
  CHECK(masked_json(masker, Map{{"hunter2", 1}}) == R"({"[masked]":1})");
  CHECK(masker.masked_text("two: hunter2, hunter2") == "two: [masked], [masked]");
  CHECK(masker.masked_text("hunter") == "hunter");
}

TEST_CASE("short secrets are masked as whole words, trivial ones only under their names") {
  Masker masker;
  masker.learn(Map{{"password", "abcd"}, {"token", "true"}, {"secret", "ab"}});
  CHECK(masker.masked_text("abcd abcde xabcd (abcd)") == "[masked] abcde xabcd ([masked])");
  CHECK(masker.masked_text("true ab") == "true ab");
}

TEST_CASE("the beginning of a long secret is enough") {
  Masker masker;
  const std::string secret = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.payload.signature";
  masker.learn(Map{{"token", secret}});
  CHECK(masker.masked_text("the value '" + secret.substr(0, 20) + "…' is wrong") == "the value '[masked]…' is wrong");
  CHECK(masker.masked_text(secret.substr(0, 8)) == secret.substr(0, 8));
}

const std::string body =
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\nVJTUt9Us8cKjMzEfYyjiWA4R4/M2bS1GB4t7NXp98C3S\n";
const std::string key = "-----BEGIN PRIVATE KEY-----\n" + body + "-----END PRIVATE KEY-----\n";

TEST_CASE("PEM blocks") {
  Masker masker;
  CHECK(masker.masked_text("a\n" + key + "b") == "a\n[masked]\nb");
  CHECK(masker.masked_text("cut off -----BEGIN X-----\n" + body) == "cut off [masked]");
  CHECK(masker.masked_text("words of the log\n" + body + "-----END X-----\nmore") ==
        "words of the log\n[masked]\nmore");
  CHECK(masked_json(masker, Map{{"file", key}}) == R"({"file":"[masked]\n"})");
  // Its lines are known now.
  CHECK(masker.masked_text("line: VJTUt9Us8cKjMzEfYyjiWA4R4/M2bS1GB4t7NXp98C3S") == "line: [masked]");
}

const std::string kubeconfig = R"(apiVersion: v1
kind: Config
clusters:
- {name: here, cluster: {server: "https://example.org"}}
users:
- name: admin
  user:
    token: very-secret-token
    client-key-data: LS0tLS1CRUdJTg==
contexts: []
)";

TEST_CASE("the users of a kubeconfig") {
  Masker masker;
  const std::string shown = masker.masked(Value(kubeconfig)).as_text();
  CHECK(shown.find("very-secret") == std::string::npos);
  CHECK(shown.find("LS0tLS1") == std::string::npos);
  CHECK(shown.find("https://example.org") != std::string::npos);
  CHECK(shown.find("users: [masked]\ncontexts") != std::string::npos);
  CHECK(masker.masked_text("it said very-secret-token") == "it said [masked]");

  Masker of_map;
  const Value map = schema::read_json(R"({"kind":"Config","users":[{"name":"admin","user":{"auth":"another-one"}}]})");
  CHECK(masked_json(of_map, map).find("another-one") == std::string::npos);
  CHECK(masked_json(schema::read_json(R"({"users":[{"name":"admin"}]})")) == R"({"users":[{"name":"admin"}]})");
}

TEST_CASE("a kubeconfig as JSON text") {
  Masker masker;
  const std::string text = R"({"kind":"Config","clusters":[],"users":[{"user":{"token":"very-secret-token"}}]})";
  CHECK(masker.masked(Value(text)).as_text().find("very-secret") == std::string::npos);
}

struct Collected final : workflow::RunObserver {
  void step_log(const workflow::StepLog& event) override { lines.push_back(event.line); }
  void step_finished(const workflow::StepFinished& event) override { error = event.error; }
  std::vector<std::string> lines;
  std::string error;
};

TEST_CASE("a PEM block that comes line by line") {
  Masker masker;
  Collected collected;
  MaskingObserver observer(masker, collected);
  const workflow::StepName one{"one", {}, {}};
  const workflow::StepName other{"other", {}, {}};
  for (const std::string& line : {std::string("before"), std::string("-----BEGIN KEY-----"), body.substr(0, 52)})
    observer.step_log({one, LogLevel::info, line});
  observer.step_log({other, LogLevel::info, "of another step"});
  for (const char* line : {"AAAA", "-----END KEY-----", "after"}) observer.step_log({one, LogLevel::info, line});
  CHECK(collected.lines == std::vector<std::string>{"before", "[masked]", "of another step", "after"});
}

TEST_CASE("what a step got is masked in what it says in the end") {
  Masker masker;
  Collected collected;
  MaskingObserver observer(masker, collected);
  observer.step_started({{"a", {}, {}}, "s", Map{{"api_key", "0123456789abcdef"}}, {}});
  observer.step_finished({{"a", {}, {}}, workflow::Outcome::failed, "crashed", "error", {}, "no: 0123456789abcdef"});
  CHECK(collected.error == "no: [masked]");
}

}  // namespace
}  // namespace venvoy::report
