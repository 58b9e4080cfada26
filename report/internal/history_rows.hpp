// The rows of the history, and the facts of a run as JSON in them.
#pragma once

#include <filesystem>
#include <string>

#include "report/internal/database.hpp"
#include "report/run_facts.hpp"
#include "schema/value.hpp"

namespace venvoy::report::internal {

inline constexpr int history_form = 1;

std::filesystem::path history_file(const std::filesystem::path& folder);
std::filesystem::path history_lock_file(const std::filesystem::path& folder);

// Opens the history for writing and makes it if it is not there. Throws an Error (io), also for a newer form.
Database open_history(const std::filesystem::path& folder);
// Throws an Error (io) when the form is a newer one.
void require_known_form(Database& database);
// The column came later than the form: who does not know it reads and writes the same tables.
bool has_nodes(Database& database);

std::string planned_json(const std::vector<PlannedStep>& planned);
std::vector<PlannedStep> read_planned(const std::string& json);

// What has no column of its own: plugins, warnings, counts, items that failed.
std::string details_json(const RunFacts& facts);
void read_details(const std::string& json, RunFacts& facts);

std::string log_json(const StepRecord& step);
void read_log(const std::string& json, StepRecord& step);

std::int64_t to_row(WallTime time);
std::optional<std::int64_t> to_row(const std::optional<WallTime>& time);
WallTime from_row(std::int64_t time);
std::optional<WallTime> from_row(const std::optional<std::int64_t>& time);
workflow::Outcome outcome_of(const std::string& text);

}  // namespace venvoy::report::internal
