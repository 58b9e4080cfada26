#include "cli/run_outputs.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <iostream>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "api/run_id.hpp"
#include "cli/machine_facts.hpp"
#include "cli/state_folder.hpp"
#include "cli/version.hpp"
#include "os/files.hpp"
#include "report/html_report.hpp"
#include "report/junit.hpp"
#include "report/plan_picture.hpp"

namespace venvoy::cli {

namespace fs = std::filesystem;

namespace {

// Beyond it a picture of the graph helps nobody, and laying it out takes long.
constexpr std::size_t max_drawn_steps = 2000;

// What a file gets that anybody makes: 0666 without the umask, which only /proc tells without changing it.
unsigned usual_mode() {
  constexpr unsigned all = 0666;
  const std::string status = os::read_file_if_there("/proc/self/status", 1 << 16).value_or("");
  const std::size_t place = status.find("\nUmask:");
  if (place == std::string::npos) return 0600;
  return all & ~static_cast<unsigned>(std::strtoul(status.c_str() + place + 7, nullptr, 8));
}

// A pipe, a terminal, /dev/null: to be written into, not replaced.
bool is_special(const fs::path& path) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  return fs::exists(status) && !fs::is_regular_file(status);
}

void write_whole(const os::Fd& file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw system_error(errno, "cannot write");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void write_output(const std::string& name, const std::string& text) {
  const fs::path path = fs::absolute(name);
  if (is_special(path))
    write_whole(os::open_file(path, O_WRONLY), text);
  else
    os::write_file_atomically(path, text, usual_mode());
}

// That it can be written is known before the run.
void require_writable(const std::string& name) {
  const fs::path path = fs::absolute(name);
  if (fs::is_directory(path)) throw Error(ErrorCode::io, fmt::format("cannot write {}: it is a folder", name));
  if (is_special(path)) return;
  if (::access(path.parent_path().c_str(), W_OK) != 0)
    throw system_error(errno, fmt::format("cannot write {} into the folder {}", name, path.parent_path().string()));
}

schema::Value literals_of(const workflow::DocValue& value);

schema::Map literals_of(const std::vector<workflow::DocValue::Entry>& entries) {
  schema::Map map;
  for (const workflow::DocValue::Entry& entry : entries) map.set(entry.key, literals_of(entry.value));
  return map;
}

// What is written as it is; expressions are null.
schema::Value literals_of(const workflow::DocValue& value) {
  using workflow::DocValue;
  if (const auto* literal = std::get_if<DocValue::Literal>(&value.form)) return literal->value;
  if (const auto* entries = std::get_if<DocValue::Entries>(&value.form)) return literals_of(*entries);
  if (const auto* choice = std::get_if<DocValue::OneOf>(&value.form)) return literals_of(choice->options);
  schema::List list;
  if (const auto* items = std::get_if<DocValue::Items>(&value.form))
    for (const DocValue& item : *items) list.push_back(literals_of(item));
  return list;
}

}  // namespace

void add_run_output_options(CLI::App& command, RunOutputOptions& options) {
  command.add_option("--events", options.events, "Write each event as a line of JSON (docs/events.schema.json)")
      ->type_name("FILE");
  command.add_option("--report", options.report, "Write a report: one HTML page that needs no network")
      ->type_name("FILE");
  command.add_option("--junit", options.junit, "Write the steps as JUnit XML: a test case each")->type_name("FILE");
  command.add_flag("--no-history", options.no_history, "Do not record the run in the history (see `venvoy runs`)");
  command.add_flag("--no-mask", options.no_mask,
                   "Show secrets in logs, events, reports and the history; without it values under names such as "
                   "'password', PEM blocks and users of kubeconfigs are masked there");
}

void learn_literals(report::Masker& masker, const workflow::Document& document) {
  // Of steps only: what stands under the names of an input's schema are types.
  for (const workflow::DocStep& step : document.steps) masker.learn(literals_of(step.fields));
}

void learn_literals(report::Masker& masker, const workflow::Plan& plan) {
  learn_literals(masker, *plan.document);
  for (const workflow::PlanStep& step : plan.steps)
    if (step.is_loop()) learn_literals(masker, *step.body);
}

namespace {

// The folder that a run belongs to in the history; without the slash at its end that "." would get.
std::string context_of(const CommonOptions& options) {
  return (fs::absolute(options.context) / "").lexically_normal().parent_path().string();
}

}  // namespace

RunOutputs::RunOutputs(const RunOutputOptions& options, Setting setting)
    : options_(options),
      setting_(std::move(setting)),
      run_(api::new_run_id()),
      record_(run_, setting_.workflow, system_clock()) {
  for (const auto& name : {options_.report, options_.junit})
    if (name) require_writable(*name);
  if (options_.events)
    events_ = in_context("cannot write the events",
                         [&] { return os::open_file(*options_.events, O_WRONLY | O_CREAT | O_TRUNC, 0666); });
  if (events_ || setting_.events_on_stderr) {
    maker_.emplace(run_, system_clock(), [this](const report::Event& event) { write_event(event); });
    own_.add(*maker_);
  }
  if (!options_.no_history) open_history();
  if (history_)
    own_.add(*history_);
  else
    own_.add(record_);
}

void RunOutputs::open_history() {
  const auto warn = [this](const std::string& text) {
    setting_.talk.logger().warning("this run is not in the history: {}", text);
  };
  try {
    report::HistoryWriter::Options wanted;
    wanted.folder = state_folder(setting_.common);
    wanted.context = context_of(setting_.common);
    wanted.version = version_text;
    wanted.host = host_name();
    wanted.on_failure = warn;
    history_ = std::make_unique<report::HistoryWriter>(record_, std::move(wanted));
  } catch (const Error& error) {
    warn(error.what());
  }
}

std::optional<std::chrono::milliseconds> RunOutputs::usual_duration() const {
  // Enough to have some of this workflow among them.
  constexpr std::size_t most_runs = 200;
  if (options_.no_history) return std::nullopt;
  try {
    const auto history = report::History::open(state_folder(setting_.common));
    if (!history) return std::nullopt;
    return report::usual_duration(history->list(most_runs), setting_.workflow, context_of(setting_.common));
  } catch (const Error&) {
    // A history that cannot be read tells nothing; whoever asks for it will be told why.
    return std::nullopt;
  }
}

RunOutputs::~RunOutputs() {
  if (history_) history_->finish();
}

workflow::RunObserver* RunOutputs::observer(workflow::RunObserver* display) {
  if (display) all_.add(*display);
  all_.add(own_);
  if (!setting_.masker) return &all_;
  masking_.emplace(*setting_.masker, all_);
  return &*masking_;
}

void RunOutputs::write_event(const report::Event& event) {
  const std::string line = report::event_json(event) + '\n';
  if (setting_.events_on_stderr) std::cerr << line << std::flush;
  if (!events_) return;
  try {
    write_whole(events_, line);
  } catch (const Error& error) {
    events_.reset();
    setting_.talk.logger().warning("no more events are written to {}: {}", *options_.events, error.what());
  }
}

void RunOutputs::set_plan(const workflow::Plan& plan) {
  if (options_.report && plan.steps.size() <= max_drawn_steps) graph_ = report::picture_of(plan);
  if (history_)
    history_->set_plan(plan);
  else
    record_.set_plan(plan);
  if (setting_.masker) learn_literals(*setting_.masker, plan);
}

void RunOutputs::fail(const std::string& error) {
  const std::string shown = setting_.masker ? setting_.masker->masked_text(error) : error;
  own_.run_started({setting_.workflow, run_, {}});
  own_.run_finished({workflow::Outcome::failed, {}, shown, {}});
}

void RunOutputs::finish() {
  if (std::exchange(finished_, true)) return;
  if (history_) history_->finish();
  if (!options_.report && !options_.junit) return;
  const report::RunFacts facts = record_.facts();
  const auto write = [this](const std::optional<std::string>& name, const auto& make) {
    if (!name) return;
    try {
      write_output(*name, make());
    } catch (Error& error) {
      setting_.talk.error(error.add_frame(fmt::format("cannot write {}", *name)));
    }
  };
  write(options_.junit, [&] { return report::junit_xml(facts); });
  write(options_.report, [&] {
    report::HtmlReportOptions page;
    page.machine = machine_facts();
    page.graph = graph_;
    return report::html_report(facts, std::move(page));
  });
}

}  // namespace venvoy::cli
