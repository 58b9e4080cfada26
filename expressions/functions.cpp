#include "expressions/functions.hpp"

#include <algorithm>
#include <utility>

namespace venvoy::expressions {

std::string Function::signature() const {
  std::string text = name + "(";
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (i > 0) text += ", ";
    text += parameters[i]->name();
  }
  const auto* type = std::get_if<schema::TypePtr>(&result);
  return text + ") " + (type ? std::string((*type)->name()) : "dynamic");
}

void Functions::add(Function function) {
  std::string name = function.name;
  functions_.insert_or_assign(std::move(name), std::move(function));
}

const Function* Functions::find(std::string_view name) const noexcept {
  const auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : &found->second;
}

std::vector<std::string> Functions::names() const {
  std::vector<std::string> names;
  for (const auto& [name, function] : functions_) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace venvoy::expressions
