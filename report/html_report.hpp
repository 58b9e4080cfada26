// A run as one page that one shows to others (spec/command.md section 2, `run --report`).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/graph_picture.hpp"
#include "report/run_facts.hpp"

namespace venvoy::report {

struct HtmlReportOptions {
  // The workflow's graph; one without nodes is left out. How steps ended is drawn into it.
  GraphPicture graph;
  // Names and values, for people: of the machine, the program, the command.
  std::vector<std::pair<std::string, std::string>> machine;
};

// A whole HTML document that needs nothing besides itself: no network, no font, no file. What a run was and how it
// ended can be read without scripts; the steps' inputs, outputs and logs are shown by a small script when they are
// asked for. Whatever is in the facts, it stays text.
std::string html_report(const RunFacts& facts, HtmlReportOptions options);

}  // namespace venvoy::report
