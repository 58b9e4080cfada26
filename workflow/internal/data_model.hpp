// What `$` is in the expressions of one run.
#pragma once

#include <string>

#include "schema/value.hpp"

namespace venvoy::workflow::internal {

// {input: …, steps: {<step>: {<stage>: {<output>: data}}}}: only what has been produced is there.
class DataModel {
 public:
  explicit DataModel(schema::Value input);

  const schema::Value& root() const noexcept { return root_; }
  void add_step(const std::string& step);
  void set_output(const std::string& step, const std::string& stage, const std::string& output, schema::Value data);

 private:
  schema::Value root_;
};

}  // namespace venvoy::workflow::internal
