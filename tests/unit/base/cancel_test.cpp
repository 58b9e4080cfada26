#include "base/cancel.hpp"

#include <memory>
#include <optional>
#include <thread>

#include "support/catch.hpp"

namespace venvoy::test {

TEST_CASE("a callback is called once, at once if it comes late, and not after its registration has gone") {
  CancelSource source;
  int calls = 0;
  auto first = source.token().on_cancel([&] { ++calls; });
  std::optional<CancelToken::Registration> gone = source.token().on_cancel([&] { calls += 100; });
  gone.reset();
  source.cancel();
  source.cancel();
  CHECK(calls == 1);
  auto late = source.token().on_cancel([&] { ++calls; });
  CHECK(calls == 2);
  CHECK(source.token().cancelled());
  CHECK_THROWS_AS(source.token().check(), Error);
}

// What a sanitizer sees: the last share of the state must outlive the lock in it.
TEST_CASE("a registration may outlive its source and all tokens, and a callback may destroy its source") {
  for (int round = 0; round < 100; ++round) {
    auto source = std::make_unique<CancelSource>();
    std::optional<CancelToken::Registration> registration = source->token().on_cancel([] {});
    std::thread other([&source] { source.reset(); });
    other.join();
    registration.reset();
  }
  auto source = std::make_unique<CancelSource>();
  const CancelToken token = source->token();
  bool called = false;
  auto registration = token.on_cancel([&] {
    called = true;
    source.reset();
  });
  source->cancel();
  CHECK(called);
  CHECK(token.cancelled());
}

}  // namespace venvoy::test
