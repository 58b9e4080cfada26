// venvoy expr EXPRESSION
#include <memory>
#include <optional>
#include <string>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "expressions/error.hpp"
#include "expressions/evaluate.hpp"
#include "expressions/functions.hpp"
#include "expressions/infer.hpp"
#include "expressions/lint.hpp"
#include "expressions/parse.hpp"
#include "schema/read_type.hpp"
#include "schema/type_of_data.hpp"
#include "schema/yaml.hpp"

namespace venvoy::cli {
namespace {

// The name that positions in the expression have.
constexpr const char* expression_name = "<expression>";

struct ExprArguments {
  std::string expression;
  std::optional<std::string> data;
  bool type = false;
};

Position place_in(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto lines = split_lines(before);
  const bool at_line_start = before.empty() || before.ends_with('\n');
  const auto line = static_cast<int>(lines.size()) + (at_line_start ? 1 : 0);
  const std::size_t in_line = at_line_start ? 0 : count_code_points(lines.back());
  return {expression_name, line, static_cast<int>(in_line) + 1};
}

class ExprCommand {
 public:
  ExprCommand(const ExprArguments& arguments, const CommonOptions& common)
      : arguments_(arguments), common_(common), files_(common.context), talk_(common, &files_) {}

  int run() {
    files_.add(expression_name, arguments_.expression);
    try {
      write_out(data_document(answer(), common_.output));
      return exit_number(PlainExit::ok);
    } catch (expressions::ExpressionError& error) {
      if (error.offset()) error.at(place_in(arguments_.expression, *error.offset()));
      talk_.error(error);
    } catch (const Error& error) {
      talk_.error(error);
    }
    return exit_number(PlainExit::failed);
  }

 private:
  schema::Value answer() {
    const schema::Value data = read_data();
    const expressions::Expression expression = expressions::parse(arguments_.expression);
    if (!common_.quiet)
      for (const expressions::Warning& warning : expressions::surprising_rules(expression))
        talk_.issue({Severity::warning, place_in(expression.text(), warning.offset), warning.text, {}});
    const expressions::Functions& functions = expressions::builtin_functions();
    if (!arguments_.type) return expressions::evaluate(expression, data, functions);
    // Without data nothing is known of `$`.
    const schema::TypePtr root = arguments_.data ? schema::type_of_data(data) : schema::any_type();
    return schema::write_type(*expressions::infer(expression, root, functions));
  }

  schema::Value read_data() {
    if (!arguments_.data) return schema::Map();
    const auto file = files_.read(*arguments_.data);
    return schema::to_typed_value(schema::read_yaml(file.text, file.name), file.name);
  }

  const ExprArguments& arguments_;
  const CommonOptions& common_;
  ContextFiles files_;
  Talk talk_;
};

}  // namespace

void add_expr_command(CLI::App& app, CommonOptions& common, Action& action) {
  CLI::App* expr = app.add_subcommand("expr", "Evaluate an expression, or tell its type");
  const auto arguments = std::make_shared<ExprArguments>();
  expr->add_option("EXPRESSION", arguments->expression,
                   "As after `!expr` in a workflow; after `--` if it starts with -")
      ->required();
  expr->add_option("--data", arguments->data, "YAML or JSON file that `$` stands for; without it `$` is empty")
      ->type_name("FILE");
  expr->add_flag("--type", arguments->type, "Print the type instead of the value; `$` has the type of the data");
  expr->footer("Example: venvoy expr '$.input.name + \"!\"' --data data.yaml");
  expr->callback([&common, &action, arguments] {
    action = [&common, arguments] { return ExprCommand(*arguments, common).run(); };
  });
}

}  // namespace venvoy::cli
