// venvoy graph
#include <map>
#include <memory>
#include <string>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/commands.hpp"
#include "cli/findings.hpp"
#include "cli/progress_display.hpp"
#include "cli/session.hpp"
#include "report/graph_svg.hpp"
#include "report/graph_text.hpp"
#include "report/plan_picture.hpp"

namespace venvoy::cli {
namespace {

enum class GraphForm { svg, dot, mermaid };

struct GraphArguments {
  std::string workflow = "workflow.yaml";
  GraphForm form = GraphForm::svg;
};

std::string graph_text(const workflow::Plan& plan, GraphForm form) {
  switch (form) {
    case GraphForm::svg:
      return report::graph_svg(report::picture_of(plan));
    case GraphForm::dot:
      return report::graph_dot(report::picture_of(plan));
    case GraphForm::mermaid:
      break;
  }
  // With all stages, as it is logged.
  return plan.graph.mermaid();
}

class GraphCommand {
 public:
  GraphCommand(const GraphArguments& arguments, const CommonOptions& common)
      : arguments_(arguments), common_(common), files_(common.context), talk_(common, &files_), findings_(talk_) {}

  int run() {
    try {
      draw();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::usage) throw;
      findings_.add(error);
    }
    return exit_number(findings_.exit());
  }

 private:
  void draw() {
    auto configuration = load_configuration(common_, files_, talk_);
    if (!configuration) throw Error(ErrorCode::document, "the workflow cannot be drawn with this configuration");
    const auto main = files_.read(arguments_.workflow);
    Session session(std::move(*configuration), runtime_options(common_, talk_));
    ProgressDisplay progress("auto", session, talk_);
    const workflow::Checked checked = session.prepare(main, files_, progress.observer(), Session::Purpose::look);
    progress.finish();
    for (const Issue& issue : checked.issues) findings_.add(issue);
    if (checked.plan) write_out(graph_text(*checked.plan, arguments_.form));
  }

  const GraphArguments& arguments_;
  const CommonOptions& common_;
  ContextFiles files_;
  Talk talk_;
  Findings findings_;
};

}  // namespace

void add_graph_command(CLI::App& app, CommonOptions& common, Action& action) {
  static const std::map<std::string, GraphForm> forms = {
      {"svg", GraphForm::svg}, {"dot", GraphForm::dot}, {"mermaid", GraphForm::mermaid}};
  CLI::App* graph = app.add_subcommand("graph", "Draw what depends on what in a workflow");
  const auto arguments = std::make_shared<GraphArguments>();
  graph->add_option("WORKFLOW", arguments->workflow, "The workflow file")->capture_default_str();
  graph
      ->add_option("--format", arguments->form, "Form of the picture: svg, dot (Graphviz) or mermaid; svg if not given")
      ->transform(CLI::CheckedTransformer(forms))
      ->option_text("FORM");
  graph->footer(
      "The picture goes to standard output. svg and dot show a node for each step; mermaid shows the stages of steps\n"
      "too. Dashed lines are for what is used if it comes.\n"
      "Exit code: 0 drawn, 1 the workflow has errors, 2 wrong usage, 3 a repository or the store could not be "
      "reached.\n"
      "\n"
      "Example: venvoy graph workflow.yaml > graph.svg");
  graph->callback([&common, &action, arguments] {
    action = [&common, arguments] { return GraphCommand(*arguments, common).run(); };
  });
}

}  // namespace venvoy::cli
