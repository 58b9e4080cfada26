#include "workflow/internal/data_model.hpp"

namespace venvoy::workflow::internal {
namespace {

using schema::Map;
using schema::Value;

// Changes one entry of a map in place: the map is taken out, changed and put back, which copies nothing as long as
// nobody else holds it.
template <class Change>
void change_entry(Value& map_value, const std::string& key, Change&& change) {
  Map map = map_value.take_map();
  Value& entry = map.find_or_add(key);
  if (entry.kind() != schema::Kind::map) entry = Map();
  change(entry);
  map_value = std::move(map);
}

}  // namespace

DataModel::DataModel(Value input) {
  Map root;
  root.insert("input", std::move(input));
  root.insert("steps", Map());
  root_ = std::move(root);
}

void DataModel::add_step(const std::string& step) {
  change_entry(root_, "steps", [&](Value& steps) { change_entry(steps, step, [](Value&) {}); });
}

void DataModel::set_output(const std::string& step, const std::string& stage, const std::string& output, Value data) {
  change_entry(root_, "steps", [&](Value& steps) {
    change_entry(steps, step, [&](Value& stages) {
      change_entry(stages, stage, [&](Value& outputs) {
        Map map = outputs.take_map();
        map.set(output, std::move(data));
        outputs = std::move(map);
      });
    });
  });
}

}  // namespace venvoy::workflow::internal
