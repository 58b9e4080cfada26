// What goes to standard output.
#pragma once

#include <string>
#include <vector>

#include "schema/value.hpp"
#include "workflow/plan.hpp"
#include "workflow/run_result.hpp"

namespace venvoy::cli {

enum class OutputForm { yaml, json };

// Data in the form that `--output` asks for, ending with a line feed. Throws an Error (schema).
std::string data_document(const schema::Value& data, OutputForm form);

// The result document of a run that has an output (spec/workflow.md 1.5).
std::string result_document(const workflow::RunResult& result, OutputForm form);

// The table of `-get-namespaces` (spec/workflow.md 1.7); empty without rows.
std::string namespace_table_text(const std::vector<workflow::NamespaceRow>& rows);

// The block of `-version` (spec/workflow.md 1.8).
std::string go_version_block();

}  // namespace venvoy::cli
