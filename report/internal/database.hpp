// SQLite with owners.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace venvoy::report::internal {

// A prepared statement. Used on one thread at a time, and not longer than its database lives.
class Statement {
 public:
  // Values for `?1`, `?2` and so on. Texts are copied.
  Statement& bind(int place, std::string_view text);
  Statement& bind(int place, std::int64_t number);
  Statement& bind(int place, std::optional<std::int64_t> number);

  // True while there is a row. Throws an Error (io).
  bool step();
  // Steps to the end and makes it ready to be used again.
  void run();
  void reset() noexcept;

  std::int64_t integer(int column) const noexcept;
  std::optional<std::int64_t> optional_integer(int column) const noexcept;
  std::string text(int column) const;  // empty for null

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  void check(int code) const;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  enum class Mode { read, write };
  // Opens a file that is there. Waits some seconds for others that write. Throws an Error (io) that names the file.
  Database(const std::filesystem::path& file, Mode mode);

  void execute(const std::string& statements);
  Statement prepare(std::string_view statement);
  std::int64_t last_row_id() const noexcept;

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };
  std::unique_ptr<sqlite3, Close> database_;
};

// Rolled back unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace venvoy::report::internal
