#include "venv/interpreter.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/on_pool.hpp"
#include "os/run_program.hpp"

namespace venvoy::venv {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using cache::Bucket;

constexpr std::chrono::seconds answer_timeout{60};
constexpr const char* correct_it = "correct `pythonPath` in the Python deployer's configuration";

// The first words are those of the Go engine (spec/workflow.md 8.3).
constexpr std::string_view first_words = "python binary check failed with error: ";

Error check_failed(const std::string& trouble) {
  return Error(ErrorCode::environment, std::string(first_words) + trouble);
}
Error not_found(const std::string& trouble) {
  return check_failed("pythons binary not found with error: " + trouble);
}

fs::path file_named(const std::string& written, const os::Environment& environment) {
  if (const auto program = os::find_program(written, environment)) return fs::absolute(*program);
  if (written.find('/') == std::string::npos)
    throw not_found(fmt::format("'{}' is in no folder of PATH", written)).with_hint(correct_it);
  struct stat status;
  const int error = ::stat(written.c_str(), &status) != 0 ? errno : EACCES;
  const char* const trouble = error == EACCES ? "not an executable file" : std::strerror(error);
  throw not_found(fmt::format("'{}': {}", written, trouble)).with_hint(correct_it);
}

struct FileState {
  std::uint64_t inode = 0;
  std::int64_t modified = 0;
  std::uint64_t size = 0;
};

FileState state_of(const fs::path& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0)
    throw system_error(errno, fmt::format("cannot look at '{}'", path.string()), ErrorCode::environment);
  constexpr std::int64_t nanoseconds = 1'000'000'000;
  return {status.st_ino, status.st_mtim.tv_sec * nanoseconds + status.st_mtim.tv_nsec,
          static_cast<std::uint64_t>(status.st_size)};
}

// "python3.12" → 12; nothing for other names.
std::optional<int> minor_version(const std::string& name) {
  constexpr std::string_view start = "python3.";
  if (!name.starts_with(start)) return std::nullopt;
  int minor = 0;
  const char* const end = name.data() + name.size();
  const auto result = std::from_chars(name.data() + start.size(), end, minor);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return minor;
}

// `python3.N` in the folders of PATH, the newest first.
std::vector<fs::path> versioned_pythons(const os::Environment& environment) {
  std::vector<std::pair<int, fs::path>> found;
  const std::string path = os::get_variable(environment, "PATH").value_or("");
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find(':', start), path.size());
    const fs::path folder = path.substr(start, end - start);
    start = end + 1;
    if (!folder.is_absolute()) continue;
    std::error_code unreadable;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, unreadable)) {
      const auto minor = minor_version(entry.path().filename());
      if (minor && os::find_program(entry.path().string(), environment)) found.emplace_back(*minor, entry.path());
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<fs::path> programs;
  for (auto& [minor, program] : found) programs.push_back(std::move(program));
  return programs;
}

// The record is what the interpreter has answered, and what it is kept under tells the state of its file.
std::string record_name(const cache::KeyInputs& identity) {
  cache::KeyBuilder builder;
  for (const auto& [name, value] : identity) builder.add(name, value);
  return builder.finish().hex() + ".json";
}

std::optional<Interpreter> read_answer(const std::string& answer) {
  const auto json = nlohmann::json::parse(answer, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto text = [&](const char* name) {
    const auto place = json.find(name);
    return place != json.end() && place->is_string() ? place->get<std::string>() : std::string();
  };
  Interpreter interpreter{text("program"),        text("real_path"), text("version"),
                          text("implementation"), text("abi"),       text("platform")};
  if (interpreter.program.empty() || interpreter.real_path.empty() || interpreter.version.empty()) return std::nullopt;
  return interpreter;
}

// The end of what it said, on one line.
std::string last_words(const std::string& text) {
  const auto lines = split_lines(trim(text));
  return lines.empty() ? std::string() : fmt::format(": {}", trim(lines.back()));
}

std::string without_first_words(const std::string& message) {
  return message.starts_with(first_words) ? message.substr(first_words.size()) : message;
}

template <class Result>
using Work = std::function<Result(const CancelToken&)>;

}  // namespace

Interpreters::Interpreters(os::Keeper& keeper, asio::thread_pool& pool, const cache::Store& store,
                           const os::Environment& environment)
    : keeper_(keeper), pool_(pool), store_(store), environment_(environment) {}

Interpreters::Candidate Interpreters::look_at(const fs::path& path) const {
  const fs::path real = fs::canonical(path);
  const FileState state = state_of(real);
  Candidate candidate{path,
                      {{"path", real.string()},
                       {"inode", std::to_string(state.inode)},
                       {"modified", std::to_string(state.modified)},
                       {"size", std::to_string(state.size)}},
                      std::nullopt};
  if (const auto record = store_.read_record(Bucket::python, record_name(candidate.identity)))
    candidate.known = read_answer(*record);
  if (candidate.known) {
    candidate.known->inode = state.inode;
    candidate.known->modified = state.modified;
  }
  return candidate;
}

std::vector<Interpreters::Candidate> Interpreters::candidates(const InterpreterWish& wish) const {
  if (wish.written) return {look_at(file_named(*wish.written, environment_))};
  std::vector<fs::path> programs;
  for (const char* name : {"python3", "python", "/usr/bin/python3"})
    if (const auto program = os::find_program(name, environment_)) programs.push_back(fs::absolute(*program));
  if (!wish.needs.text.empty())
    for (fs::path& program : versioned_pythons(environment_)) programs.push_back(std::move(program));
  std::vector<Candidate> found;
  for (const fs::path& program : programs) {
    const bool twice =
        std::any_of(found.begin(), found.end(), [&](const Candidate& other) { return other.path == program; });
    if (!twice) found.push_back(look_at(program));
  }
  return found;
}

Interpreter Interpreters::note(const Candidate& candidate, const std::string& answer) const {
  auto interpreter = read_answer(answer);
  if (!interpreter)
    throw check_failed(fmt::format("'{}' gives no sensible answer", candidate.path.string())).with_hint(correct_it);
  const FileState state = state_of(interpreter->real_path);
  interpreter->inode = state.inode;
  interpreter->modified = state.modified;
  if (candidate.identity.front().second == interpreter->real_path)
    store_.write_record(Bucket::python, record_name(candidate.identity), answer);
  return *interpreter;
}

asio::awaitable<Interpreter> Interpreters::ask(Candidate candidate, CancelToken cancel) {
  const std::string name = candidate.path.string() + " " + record_name(candidate.identity);
  if (const auto known = asked_.find(name); known != asked_.end()) co_return known->second;
  Work<fs::path> find_script = [](const CancelToken&) { return os::find_support_file("interpreter_facts.py"); };
  const fs::path script = co_await os::on_pool<fs::path>(pool_, cancel, std::move(find_script));
  os::ProgramSpec spec;
  spec.program = candidate.path;
  spec.arguments = {"-I", script.string()};
  spec.environment = environment_;
  // Where the engine is: scripts that stand for an interpreter may choose one by it.
  std::error_code no_directory;
  const fs::path here = fs::current_path(no_directory);
  spec.working_directory = no_directory ? fs::path("/") : here;
  os::ProgramLimits limits;
  limits.timeout = answer_timeout;
  const os::ProgramResult result = co_await os::run_program(keeper_, std::move(spec), limits, cancel);
  if (!result.exit.ok())
    throw check_failed(fmt::format("'{}' does not work, {}{}", candidate.path.string(), result.exit.text(),
                                   last_words(result.error_tail)));
  Work<Interpreter> keep = [this, &candidate, &result](const CancelToken&) { return note(candidate, result.output); };
  Interpreter interpreter = co_await os::on_pool<Interpreter>(pool_, cancel, std::move(keep));
  asked_.insert_or_assign(name, interpreter);
  co_return interpreter;
}

asio::awaitable<Interpreter> Interpreters::find(InterpreterWish wish, CancelToken cancel) {
  using Candidates = std::vector<Candidate>;
  Work<Candidates> look = [this, &wish](const CancelToken&) { return candidates(wish); };
  const Candidates found = co_await os::on_pool<Candidates>(pool_, cancel, std::move(look));
  std::string troubles, passed_over;
  for (const Candidate& candidate : found) {
    std::optional<Interpreter> interpreter = candidate.known;
    try {
      if (!interpreter) interpreter = co_await ask(candidate, cancel);
    } catch (const Error& error) {
      if (wish.written || error.code() == ErrorCode::cancelled) throw;
      troubles += "; " + without_first_words(error.message());
    }
    if (!interpreter) continue;
    const std::string is = fmt::format("'{}' is Python {}", candidate.path.string(), interpreter->version);
    if (suits(interpreter->version, wish.needs.text)) {
      if (!passed_over.empty())
        wish.logger.info("{}, which {} gets, since it needs Python {} ({}); passed over{}", is, wish.who,
                         wish.needs.text, wish.needs.place, passed_over);
      co_return *interpreter;
    }
    passed_over += (passed_over.empty() ? ": " : ", ") + is;
    if (wish.written)
      throw check_failed(
          fmt::format("{}, but {} needs Python {} ({})", is, wish.who, wish.needs.text, wish.needs.place))
          .with_hint(
              "name one that suits as `pythonPath` in the Python deployer's configuration, or leave that out: "
              "then one is looked for");
  }
  if (!passed_over.empty())
    throw check_failed(fmt::format("no Python here suits {}, which needs Python {} ({}); found{}", wish.who,
                                   wish.needs.text, wish.needs.place, passed_over))
        .with_hint(
            "install one and put it into PATH, as python3.N for instance, or name it as `pythonPath` in the "
            "Python deployer's configuration");
  throw not_found("none of python3 and python in PATH and /usr/bin/python3 works" + troubles)
      .with_hint("install Python 3.8 or newer, or name one as `pythonPath` in the Python deployer's configuration");
}

}  // namespace venvoy::venv
