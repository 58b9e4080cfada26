// Values of a workflow file with their tags (spec/workflow.md 3.2).
#pragma once

#include <string>

#include "base/issue.hpp"
#include "schema/yaml.hpp"
#include "workflow/document.hpp"

namespace venvoy::workflow::internal {

// Reads values of one document; collects what is wrong with them.
class DocValueReader {
 public:
  DocValueReader(const std::string& file, Issues& issues) : file_(file), issues_(issues) {}

  // `path` names the place in messages: keys and indexes joined with " -> ".
  DocValue read(const schema::YamlNode& node, const std::string& path);

  // An issue for every tag below a node in whose place tags mean nothing (`input`, `outputSchema`).
  void refuse_tags(const schema::YamlNode& node, const std::string& section);

  void report(const schema::YamlNode& node, std::string text, std::string hint = {});

 private:
  DocValue read_tagged(const schema::YamlNode& node, const std::string& path);
  DocValue read_untagged(const schema::YamlNode& node, const std::string& path);
  DocValue read_one_of(const schema::YamlNode& node, const std::string& path);
  DocValue read_or_disabled(const schema::YamlNode& node, const std::string& path);
  std::optional<expressions::Expression> compile(const schema::YamlNode& node, const std::string& text,
                                                 const std::string& path);

  const std::string& file_;
  Issues& issues_;
};

}  // namespace venvoy::workflow::internal
