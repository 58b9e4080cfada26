#include "deployer/internal/stderr_reader.hpp"

#include <string>
#include <unistd.h>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "support/catch.hpp"

namespace venvoy::deployer::internal {
namespace {

struct Reading {
  explicit Reading(std::size_t limit) : pipe(os::make_pipe()) {
    reader = std::make_unique<StderrReader>(io.get_executor(), std::move(pipe.read_end), limit, nullptr,
                                            [this](std::string_view line) { lines.emplace_back(line); });
  }
  void write(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t count =
          ::write(pipe.write_end.get(), text.data() + at, std::min<std::size_t>(4096, text.size() - at));
      REQUIRE(count > 0);
      at += static_cast<std::size_t>(count);
      io.restart();
      io.poll();
    }
  }
  void end() {
    pipe.write_end.reset();
    io.restart();
    while (!reader->ended().fired()) io.run_one();
  }

  boost::asio::io_context io;
  os::Pipe pipe;
  std::vector<std::string> lines;
  std::unique_ptr<StderrReader> reader;
};

TEST_CASE("lines are told as they come, the last one at the end") {
  Reading reading(100);
  reading.write("one\ntwo\nthr");
  CHECK(reading.lines == std::vector<std::string>{"one", "two"});
  CHECK_FALSE(reading.reader->ended().fired());
  reading.write("ee");
  reading.end();
  CHECK(reading.lines == std::vector<std::string>{"one", "two", "three"});
  CHECK(reading.reader->tail() == "one\ntwo\nthree");
}

TEST_CASE("the tail keeps its limit, whole lines and valid text") {
  Reading reading(25);
  for (int number = 0; number < 5000; ++number) reading.write("line " + std::to_string(number) + "\n");
  CHECK(reading.reader->tail() == "line 4998\nline 4999\n");
  reading.write("\xff\xfe end\n");
  CHECK(reading.reader->tail() == "line 4999\n\ufffd\ufffd end\n");
  reading.end();
  CHECK(reading.lines.size() == 5001);
}

TEST_CASE("a stream without line ends is bounded too") {
  Reading reading(1000);
  reading.write(std::string(1'000'000, 'x'));
  CHECK(reading.reader->tail() == std::string(1000, 'x'));
  reading.end();
}

TEST_CASE("nothing is told after the reader has gone") {
  Reading reading(100);
  reading.write("one\n");
  reading.reader.reset();
  reading.io.restart();
  reading.io.run();  // the coroutine ends
  CHECK(reading.lines == std::vector<std::string>{"one"});
}

}  // namespace
}  // namespace venvoy::deployer::internal
