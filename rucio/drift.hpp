// `package drift`: hosts and packages over the components of a deployment, by the values of their charts.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "rucio/workshop.hpp"

namespace venvoy::rucio {

// A file of values: of one chart, or, as `render values` writes it, one key for each chart.
struct ValuesFile {
  std::string name;  // as the user wrote it
  std::string text;
};

// {"components": [{"component", "file", "host_version", "host_major", "packages": [{"module", "requirement", "version",
// "verdict", "findings"}], "configured": [module …]}], "drift": [sentence …]}. A package that cannot be had has the
// verdict "unknown". Throws an Error (document) with its position for files that are no values.
nlohmann::json find_drift(Workshop& workshop, const std::vector<ValuesFile>& files);

}  // namespace venvoy::rucio
