// What plugins write to standard error, in files for people (docs/store.md, "The state folder").
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "os/fd.hpp"

namespace venvoy::deployer {

// `<folder>/<engine>/<n>-<plugin>.log`, and `….log.1` with what came before it. An engine's folder is named after the
// time at which it began to write and its process, and locked (flock) for as long as the engine lives. Nothing is made
// before a plugin has written its first byte. A disk that is full, or a folder that cannot be written, is no error of a
// run: the log then ends, and the tail that errors show is all there is.
class StderrLogs : public std::enable_shared_from_this<StderrLogs> {
 public:
  struct Bounds {
    // Of one plugin process, in both files together.
    std::uint64_t log_bytes = std::uint64_t{8} << 20;
    // Of all logs: the oldest that nobody writes any more go first.
    std::uint64_t all_bytes = std::uint64_t{256} << 20;
    // Of the plugin processes of one engine.
    std::size_t logs = 1000;
  };

  // What is written instead of some whole lines: for keeping secrets out.
  using Filter = std::function<std::string(std::string_view)>;

  // Used on one thread. `folder` need not be there; `filter` may be empty.
  StderrLogs(std::filesystem::path folder, Bounds bounds, Logger logger, Filter filter = {});
  StderrLogs(const StderrLogs&) = delete;
  StderrLogs& operator=(const StderrLogs&) = delete;

  // One process's log.
  class Log {
   public:
    Log(std::shared_ptr<StderrLogs> logs, std::string name) : logs_(std::move(logs)), name_(std::move(name)) {}
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    void write(std::string_view bytes);
    // Empty before the first byte.
    const std::filesystem::path& path() const noexcept { return path_; }

   private:
    void write_as_is(std::string_view bytes);
    void open();
    void begin_anew();

    std::shared_ptr<StderrLogs> logs_;
    std::string name_;
    std::filesystem::path path_;
    os::Fd file_;
    bool is_off_ = false;
    std::string pending_;           // the beginning of a line, for the filter
    std::uint64_t size_ = 0;        // of the file
    std::uint64_t older_size_ = 0;  // of what came before it
  };
  // `name`: of the plugin, for the name of the file.
  std::unique_ptr<Log> make_log(std::string name);

 private:
  struct Ended {
    std::filesystem::path path;
    std::uint64_t bytes = 0;
  };

  // The engine's folder, made and locked when it is first asked for. Throws an Error (io).
  const std::filesystem::path& engine_folder();
  void remove_old_engines();
  void note_end(std::filesystem::path path, std::uint64_t bytes);

  std::filesystem::path folder_;
  Bounds bounds_;
  Logger logger_;
  Filter filter_;
  std::filesystem::path engine_folder_;
  os::Fd engine_lock_;
  std::uint64_t last_number_ = 0;
  std::deque<Ended> ended_;
  std::uint64_t ended_bytes_ = 0;
};

}  // namespace venvoy::deployer
