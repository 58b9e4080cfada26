#include "base/shell_text.hpp"

#include "support/catch.hpp"

using venvoy::shell_quoted;

TEST_CASE("a text is one word for a shell, whatever is in it") {
  CHECK(shell_quoted("") == "''");
  CHECK(shell_quoted("two words") == "'two words'");
  CHECK(shell_quoted("it's $HOME\n`id` \\") == "'it'\\''s $HOME\n`id` \\'");
}
