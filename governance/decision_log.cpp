#include "governance/decision_log.hpp"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/fd.hpp"
#include "os/file_lock.hpp"
#include "os/files.hpp"
#include "schema/json.hpp"

namespace venvoy::governance {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t piece_bytes = std::size_t{256} << 10;
constexpr std::size_t max_line_bytes = std::size_t{64} << 20;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char symbol) { return static_cast<char>(std::tolower(symbol)); });
  return text;
}

std::string rotated_name(const fs::path& file, std::int64_t number) {
  return fmt::format("{}.{}", file.string(), number);
}

// The lines of a file from the last to the first, so that a long log costs no more than what is shown of it.
class LinesFromEnd {
 public:
  explicit LinesFromEnd(const std::string& name) : file_(os::open_file(name, O_RDONLY)) {
    at_ = ::lseek(file_.get(), 0, SEEK_END);
  }

  // Nothing when there are no more.
  std::optional<std::string> next() {
    while (true) {
      const std::size_t end = text_.rfind('\n');
      if (end == text_.npos && at_ > 0 && text_.size() < max_line_bytes) {
        read_piece();
        continue;
      }
      if (end == text_.npos && text_.empty()) return std::nullopt;
      std::string line = text_.substr(end == text_.npos ? 0 : end + 1);
      text_.resize(end == text_.npos ? 0 : end);
      if (!line.empty()) return line;
    }
  }

 private:
  void read_piece() {
    std::string piece(std::min(piece_bytes, static_cast<std::size_t>(at_)), '\0');
    at_ -= static_cast<off_t>(piece.size());
    for (std::size_t done = 0; done < piece.size();) {
      const ssize_t count =
          ::pread(file_.get(), piece.data() + done, piece.size() - done, at_ + static_cast<off_t>(done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw system_error(errno, "cannot read the decision log");
      if (count == 0) break;  // cut off meanwhile: the rest stays NULs, which are no record
      done += static_cast<std::size_t>(count);
    }
    text_.insert(0, piece);
  }

  os::Fd file_;
  off_t at_ = 0;
  std::string text_;
};

}  // namespace

DecisionLog::DecisionLog(const LogSettings& settings, std::vector<std::string> secret_names)
    : settings_(settings), secret_names_(std::move(secret_names)) {
  for (std::string& name : secret_names_) name = lower(std::move(name));
  const fs::path folder = settings_.file.parent_path();
  std::error_code error;
  if (fs::is_directory(folder, error)) return;
  fs::create_directories(folder.parent_path(), error);
  os::make_directory(folder, 0700);
}

void DecisionLog::write(const schema::Value& record) {
  std::string line = schema::write_json(record, {.indent = 0}) + "\n";
  const std::lock_guard lock(mutex_);
  rotate();
  const os::Fd file = os::open_file(settings_.file, O_RDWR | O_APPEND | O_CREAT, 0600);
  // A crash or a full disk may have left half a line, which must not take ours with it.
  char last = '\n';
  const off_t end = ::lseek(file.get(), 0, SEEK_END);
  if (end > 0 && ::pread(file.get(), &last, 1, end - 1) == 1 && last != '\n') line.insert(0, 1, '\n');
  const ssize_t written = ::write(file.get(), line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size()))
    throw system_error(written < 0 ? errno : ENOSPC, fmt::format("cannot write '{}'", settings_.file.string()));
}

void DecisionLog::rotate() {
  struct stat facts = {};
  const auto too_long = [&] {
    return ::stat(settings_.file.c_str(), &facts) == 0 && facts.st_size >= settings_.max_mb << 20;
  };
  if (!too_long()) return;
  const auto held = os::FileLock::wait(settings_.file.string() + ".lock", os::LockMode::exclusive, {});
  if (!too_long()) return;  // somebody else was faster
  std::error_code ignored;
  if (settings_.keep == 0) {
    fs::remove(settings_.file, ignored);
    return;
  }
  for (std::int64_t number = settings_.keep - 1; number >= 1; --number)
    fs::rename(rotated_name(settings_.file, number), rotated_name(settings_.file, number + 1), ignored);
  fs::rename(settings_.file, rotated_name(settings_.file, 1));
}

std::vector<schema::Value> DecisionLog::read(std::size_t limit,
                                             const std::function<bool(const schema::Value&)>& suits) const {
  std::deque<schema::Value> found;
  for (std::int64_t number = 0; number <= settings_.keep && found.size() < limit; ++number) {
    const std::string name = number == 0 ? settings_.file.string() : rotated_name(settings_.file, number);
    if (::access(name.c_str(), F_OK) != 0) continue;
    LinesFromEnd lines(name);
    while (found.size() < limit) {
      const auto line = lines.next();
      if (!line) break;
      try {
        schema::Value record = schema::read_json(*line);
        if (suits(record)) found.push_front(std::move(record));
      } catch (const Error&) {
        // Torn by a crash.
      }
    }
  }
  return {found.begin(), found.end()};
}

bool DecisionLog::is_secret(std::string key) const {
  key = lower(std::move(key));
  for (const char* word : {"token", "password", "secret", "key", "kubeconfig", "credential"})
    if (key.find(word) != key.npos) return true;
  return std::find(secret_names_.begin(), secret_names_.end(), key) != secret_names_.end();
}

void DecisionLog::collect_secrets(const schema::Value& input, bool secret, std::vector<std::string>& into) const {
  if (secret && input.kind() == schema::Kind::text && input.as_text().size() >= 4) into.push_back(input.as_text());
  if (input.kind() == schema::Kind::list)
    for (const schema::Value& item : input.as_list()) collect_secrets(item, secret, into);
  if (input.kind() == schema::Kind::map)
    for (const auto& [key, value] : input.as_map())
      collect_secrets(value, secret || (key.kind() == schema::Kind::text && is_secret(key.as_text())), into);
}

std::string DecisionLog::without_secrets_of(const schema::Value& input, std::string text) const {
  std::vector<std::string> secrets;
  collect_secrets(input, false, secrets);
  for (const std::string& secret : secrets)
    for (std::size_t at = 0; (at = text.find(secret, at)) != text.npos; at += 3) text.replace(at, secret.size(), "***");
  return text;
}

schema::Value DecisionLog::masked(const schema::Value& input) const {
  if (input.kind() == schema::Kind::list) {
    schema::List list;
    for (const schema::Value& item : input.as_list()) list.push_back(masked(item));
    return list;
  }
  if (input.kind() != schema::Kind::map) return input;
  schema::Map map;
  for (const auto& [key, value] : input.as_map()) {
    const bool secret = key.kind() == schema::Kind::text && is_secret(key.as_text());
    map.set(key, secret ? schema::Value("***") : masked(value));
  }
  return map;
}

}  // namespace venvoy::governance
