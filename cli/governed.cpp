#include "cli/governed.hpp"

#include <fmt/format.h>

#include "api/run_id.hpp"
#include "governance/gates.hpp"

namespace venvoy::cli {

void ask_policies(api::Runtime& runtime, std::string action, schema::Map input) {
  governance::Governor* governor = runtime.governor();
  if (!governor) return;
  governance::ActionQuestion question;
  question.actor = governor->actor();
  question.request_id = api::new_run_id();
  input.set("actor", question.actor);
  input.set("request_id", question.request_id);
  question.action = action;
  question.input = std::move(input);
  const governance::Decision decision = runtime.wait_for(governor->decide(std::move(question), {}));
  if (decision.outcome != governance::Outcome::allow)
    throw Error(ErrorCode::denied,
                fmt::format("a policy has denied {}: {}", action, governance::refusal_text(decision)));
}

void ask_policies(const CommonOptions& options, std::string action, schema::Map input) {
  const ContextFiles files(options.context);
  const Talk talk(options, &files);
  auto configuration = load_configuration(options, files, talk);
  if (!configuration) throw Error(ErrorCode::usage, "the configuration cannot be used");
  if (!configuration->governance) return;
  api::Runtime runtime(std::move(*configuration), runtime_options(options, talk));
  ask_policies(runtime, std::move(action), std::move(input));
}

}  // namespace venvoy::cli
