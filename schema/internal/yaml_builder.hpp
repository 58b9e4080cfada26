// From records to nodes: aliases are copied, merge keys merged, keys checked.
#pragma once

#include <cstddef>
#include <string>

#include "schema/internal/yaml_recorder.hpp"
#include "schema/yaml.hpp"

namespace venvoy::schema {

class YamlBuilder {
 public:
  // The arguments must outlive the builder; texts are moved out of the records when no alias needs them twice.
  YamlBuilder(YamlRecords& records, const std::string& file, const YamlLimits& limits)
      : records_(records), file_(file), limits_(limits) {}

  // The root and everything in it. Throws an Error for a key that is no scalar or given twice, for a merge key with
  // something else than mappings, and when the aliases stand for more nodes, text or depth than the limits allow.
  YamlNode build() { return node(0, 0); }

 private:
  YamlNode node(std::uint32_t index, int depth);
  YamlNode alias(const YamlRecord& record, int depth);
  YamlNode scalar(YamlRecord& record);
  void add_items(YamlNode& sequence, std::uint32_t index, int depth);
  void add_entries(YamlNode& mapping, std::uint32_t index, int depth);
  void count(const YamlRecord& record);
  void check_keys(const YamlNode& mapping) const;
  void merge(YamlNode& mapping) const;
  Position position(int line, int column) const { return {file_, line, column}; }

  YamlRecords& records_;
  const std::string& file_;
  const YamlLimits& limits_;
  std::size_t nodes_ = 0;
  std::size_t copied_bytes_ = 0;
  const YamlRecord* copied_for_ = nullptr;  // the alias whose node is being copied, the outermost one
};

}  // namespace venvoy::schema
