// The main function of every program of unit tests.
#ifdef VENVOY_CATCH2_V2
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#else
#include <catch2/catch_session.hpp>
#endif

#include <csignal>
#include <cstdlib>

int main(int argc, char** argv) {
  // As in the program: a plugin that has died must not take the tests with it.
  std::signal(SIGPIPE, SIG_IGN);
  setenv("VENVOY_KEEPER", VENVOY_KEEPER_PROGRAM, 0);
  return Catch::Session().run(argc, argv);
}
