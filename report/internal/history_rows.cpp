#include "report/internal/history_rows.hpp"

#include <fcntl.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "os/fd.hpp"
#include "schema/json.hpp"

namespace venvoy::report::internal {

using schema::List;
using schema::Map;
using schema::Value;
using workflow::Outcome;

namespace {

constexpr const char* tables = R"sql(
CREATE TABLE runs (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  workflow TEXT NOT NULL,
  context TEXT NOT NULL,
  version TEXT NOT NULL,
  host TEXT NOT NULL,
  begin INTEGER NOT NULL,
  started INTEGER,
  ended INTEGER,
  outcome TEXT,
  output_id TEXT,
  error TEXT,
  input TEXT,
  output TEXT,
  planned TEXT,
  details TEXT
);
CREATE TABLE steps (
  run INTEGER NOT NULL,
  loop TEXT NOT NULL,
  item TEXT NOT NULL,
  step TEXT NOT NULL,
  place INTEGER NOT NULL,
  plugin_step TEXT,
  reference TEXT,
  version TEXT,
  environment TEXT,
  deployed INTEGER,
  deploy_time INTEGER,
  started INTEGER,
  start_time INTEGER,
  ended INTEGER,
  outcome TEXT,
  stage TEXT,
  output_id TEXT,
  error TEXT,
  input TEXT,
  output TEXT,
  log TEXT,
  items TEXT,
  node TEXT,
  PRIMARY KEY (run, loop, item, step)
) WITHOUT ROWID;
)sql";

std::int64_t number(std::uint64_t count) {
  return static_cast<std::int64_t>(count);
}

List counts(const OutcomeCounts& given) {
  List list;
  for (const std::uint64_t count : given) list.emplace_back(number(count));
  return list;
}

void read_counts(const Value* list, OutcomeCounts& counts) {
  if (!list || list->kind() != schema::Kind::list) return;
  for (std::size_t at = 0; at < counts.size() && at < list->as_list().size(); ++at)
    counts[at] = static_cast<std::uint64_t>(list->as_list()[at].as_integer());
}

std::string text_in(const Value& map, const char* key) {
  const Value* value = map.find(key);
  return value && value->kind() == schema::Kind::text ? value->as_text() : std::string();
}

std::int64_t number_in(const Value& map, const char* key) {
  const Value* value = map.find(key);
  return value && value->kind() == schema::Kind::integer ? value->as_integer() : 0;
}

template <class Use>
void for_each_in(const Value& map, const char* key, const Use& use) {
  const Value* list = map.find(key);
  if (!list || list->kind() != schema::Kind::list) return;
  for (const Value& item : list->as_list()) use(item);
}

std::string one_line_json(const Value& value) {
  return schema::write_json(value, {.indent = 0});
}

Value read_row_json(const std::string& json) {
  return json.empty() ? Value(Map()) : schema::read_json(json, "the history");
}

List lines_json(const auto& lines) {
  List list;
  for (const LogLine& line : lines)
    list.emplace_back(List{to_row(line.time), static_cast<std::int64_t>(line.level), line.text});
  return list;
}

LogLine read_line(const Value& value) {
  const List& parts = value.as_list();
  return {from_row(parts.at(0).as_integer()), static_cast<LogLevel>(parts.at(1).as_integer()), parts.at(2).as_text()};
}

}  // namespace

std::filesystem::path history_file(const std::filesystem::path& folder) {
  return folder / "runs.sqlite";
}
std::filesystem::path history_lock_file(const std::filesystem::path& folder) {
  return folder / "runs.lock";
}

void require_known_form(Database& database) {
  Statement version = database.prepare("PRAGMA user_version");
  version.step();
  if (version.integer(0) > history_form)
    throw Error(ErrorCode::io, "the history was written by a newer version of venvoy")
        .with_hint("use that version, or another --state-dir");
}

bool has_nodes(Database& database) {
  Statement column = database.prepare("SELECT 1 FROM pragma_table_info('steps') WHERE name = 'node'");
  return column.step();
}

Database open_history(const std::filesystem::path& folder) {
  // Made by us, so that nobody else can ever read it; SQLite gives its other files the same mode.
  os::open_file(history_file(folder), O_RDWR | O_CREAT, 0600);
  Database database(history_file(folder), Database::Mode::write);
  database.execute("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
  require_known_form(database);
  Transaction transaction(database);
  bool is_new = false;
  {
    Statement version = database.prepare("PRAGMA user_version");
    version.step();
    is_new = version.integer(0) == 0;
  }
  if (is_new) database.execute(fmt::format("{} PRAGMA user_version = {};", tables, history_form));
  if (!has_nodes(database)) database.execute("ALTER TABLE steps ADD COLUMN node TEXT");
  transaction.commit();
  return database;
}

std::string planned_json(const std::vector<PlannedStep>& planned) {
  List list;
  for (const PlannedStep& step : planned) {
    List needs;
    for (const Need& need : step.needs)
      needs.emplace_back(
          List{need.name, static_cast<std::int64_t>(need.kind), need.stage_for, need.step, need.stage, need.output});
    list.emplace_back(Map{{"id", step.id},
                          {"loop", step.loop},
                          {"file", step.file},
                          {"line", step.line},
                          {"plugin", step.plugin},
                          {"plugin_step", step.plugin_step},
                          {"is_loop", step.is_loop},
                          {"enabled", step.enabled},
                          {"stop_if", step.stop_if},
                          {"needs", std::move(needs)}});
  }
  return one_line_json(list);
}

std::vector<PlannedStep> read_planned(const std::string& json) {
  std::vector<PlannedStep> planned;
  if (json.empty()) return planned;
  const Value all = read_row_json(json);
  for (const Value& given : all.as_list()) {
    PlannedStep step;
    step.id = text_in(given, "id");
    step.loop = text_in(given, "loop");
    step.file = text_in(given, "file");
    step.line = static_cast<int>(number_in(given, "line"));
    step.plugin = text_in(given, "plugin");
    step.plugin_step = text_in(given, "plugin_step");
    const Value* is_loop = given.find("is_loop");
    step.is_loop = is_loop && is_loop->as_bool();
    step.enabled = text_in(given, "enabled");
    step.stop_if = text_in(given, "stop_if");
    for_each_in(given, "needs", [&](const Value& need) {
      const List& parts = need.as_list();
      step.needs.push_back({parts.at(0).as_text(), static_cast<Need::Kind>(parts.at(1).as_integer()),
                            parts.at(2).as_text(), parts.at(3).as_text(), parts.at(4).as_text(),
                            parts.at(5).as_text()});
    });
    planned.push_back(std::move(step));
  }
  return planned;
}

std::string details_json(const RunFacts& facts) {
  List plugins;
  for (const PluginRecord& plugin : facts.plugins) {
    List phases;
    for (const PluginRecord::Phase& phase : plugin.phases)
      phases.emplace_back(Map{{"name", phase.name},
                              {"begin", to_row(phase.begin)},
                              {"end", phase.end ? Value(to_row(*phase.end)) : Value()},
                              {"outcome", phase.outcome},
                              {"text", phase.text}});
    plugins.emplace_back(Map{{"reference", plugin.reference},
                             {"commit", plugin.commit},
                             {"ready", plugin.ready},
                             {"phases", std::move(phases)}});
  }
  List warnings;
  for (const std::string& warning : facts.warnings) warnings.emplace_back(warning);
  List items;
  for (const ItemRecord& item : facts.failed_items)
    items.emplace_back(Map{{"step", item.loop.step},
                           {"loop", item.loop.loop},
                           {"item", item.loop.item},
                           {"index", number(item.index)},
                           {"outcome", to_text(item.outcome)},
                           {"error", item.error}});
  return one_line_json(Map{{"plugins", std::move(plugins)},
                           {"warnings", std::move(warnings)},
                           {"failed_items", std::move(items)},
                           {"ended_steps", counts(facts.ended_steps)},
                           {"ended_item_steps", counts(facts.ended_item_steps)},
                           {"left_out", number(facts.left_out)}});
}

void read_details(const std::string& json, RunFacts& facts) {
  const Value details = read_row_json(json);
  for_each_in(details, "plugins", [&](const Value& given) {
    PluginRecord plugin{text_in(given, "reference"), text_in(given, "commit"), {}, text_in(given, "ready"), {}};
    for_each_in(given, "phases", [&](const Value& phase) {
      const Value* end = phase.find("end");
      plugin.phases.push_back({text_in(phase, "name"), from_row(number_in(phase, "begin")),
                               end && !end->is_null() ? std::optional(from_row(end->as_integer())) : std::nullopt,
                               text_in(phase, "outcome"), text_in(phase, "text")});
    });
    facts.plugins.push_back(std::move(plugin));
  });
  for_each_in(details, "warnings", [&](const Value& warning) { facts.warnings.push_back(warning.as_text()); });
  for_each_in(details, "failed_items", [&](const Value& given) {
    ItemRecord item;
    item.loop = {text_in(given, "step"), text_in(given, "item"), text_in(given, "loop")};
    item.index = static_cast<std::size_t>(number_in(given, "index"));
    item.outcome = outcome_of(text_in(given, "outcome"));
    item.error = text_in(given, "error");
    facts.failed_items.push_back(std::move(item));
  });
  read_counts(details.find("ended_steps"), facts.ended_steps);
  read_counts(details.find("ended_item_steps"), facts.ended_item_steps);
  facts.left_out = static_cast<std::uint64_t>(number_in(details, "left_out"));
}

std::string log_json(const StepRecord& step) {
  if (step.first_log.empty() && step.dropped_lines == 0) return {};
  return one_line_json(Map{{"first", lines_json(step.first_log)},
                           {"last", lines_json(step.last_log)},
                           {"dropped", number(step.dropped_lines)}});
}

void read_log(const std::string& json, StepRecord& step) {
  if (json.empty()) return;
  const Value log = read_row_json(json);
  for_each_in(log, "first", [&](const Value& line) { step.first_log.push_back(read_line(line)); });
  for_each_in(log, "last", [&](const Value& line) { step.last_log.push_back(read_line(line)); });
  step.dropped_lines = static_cast<std::uint64_t>(number_in(log, "dropped"));
}

std::int64_t to_row(WallTime time) {
  return time.time_since_epoch().count();
}
std::optional<std::int64_t> to_row(const std::optional<WallTime>& time) {
  return time ? std::optional(to_row(*time)) : std::nullopt;
}
WallTime from_row(std::int64_t time) {
  return WallTime(std::chrono::microseconds(time));
}
std::optional<WallTime> from_row(const std::optional<std::int64_t>& time) {
  return time ? std::optional(from_row(*time)) : std::nullopt;
}

Outcome outcome_of(const std::string& text) {
  for (const Outcome outcome : {Outcome::failed, Outcome::cancelled, Outcome::disabled})
    if (text == to_text(outcome)) return outcome;
  return Outcome::succeeded;
}

}  // namespace venvoy::report::internal
