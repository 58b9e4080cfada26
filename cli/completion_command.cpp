// venvoy completion SHELL, and what its scripts ask while somebody types: venvoy __complete -- WORD…
//
// The scripts know no command and no option. They hand the words so far to the program, which walks its own CLI11 app,
// so a completion is never older than the program that it is for. The answer is one candidate a line, the whole word
// with a tab and its description behind it; a line `:files` or `:folders` asks the shell for paths.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "atp/cbor.hpp"
#include "base/exit_code.hpp"
#include "base/shell_text.hpp"
#include "base/text.hpp"
#include "cache/collect.hpp"
#include "cli/commands.hpp"
#include "cli/state_folder.hpp"
#include "deployer/python_settings.hpp"
#include "report/history.hpp"

namespace venvoy::cli {
namespace {

namespace fs = std::filesystem;

// @PROGRAM@ is the program that wrote the script: for a word that is in no folder of PATH.
constexpr std::string_view bash_script = R"(# bash completion for venvoy:  source <(venvoy completion bash)

_venvoy() {
  local words=() word glue="" index program answer line current breaks prefix=""
  # Bash cuts words at '=', ':' and '@'; what belongs together is put together again.
  for ((index = 0; index <= COMP_CWORD; ++index)); do
    word=${COMP_WORDS[index]}
    if ((${#words[@]} > 1)) && [[ -n $glue || ( -n $word && -z ${word//[=:@]/} ) ]]; then
      words[${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
    glue=""
    if [[ -n $word && -z ${word//[=:@]/} ]]; then glue=yes; fi
  done
  program=$(type -P -- "${words[0]/#\~\//$HOME/}") || program=$(type -P venvoy) || program=@PROGRAM@
  answer=$("$program" __complete -- "${words[@]:1}" 2>/dev/null)
  current=${words[${#words[@]} - 1]}
  # Of a word that is cut, bash replaces the part behind the last cut.
  breaks=${COMP_WORDBREAKS//[^=:@]/}
  if [[ -n $breaks && $current == *["$breaks"]* ]]; then prefix=${current%"${current##*["$breaks"]}"}; fi
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      "") ;;
      :files | :folders)
        compopt -o filenames 2>/dev/null
        local kind=-f option="" path
        if [[ $line == :folders ]]; then kind=-d; fi
        if [[ $current == --*=* ]]; then option=${current%%=*}=; fi
        while IFS= read -r path; do
          path=$option$path
          COMPREPLY+=("${path#"$prefix"}")
        done < <(compgen $kind -- "${current#"$option"}")
        ;;
      *)
        line=${line%%$'\t'*}
        COMPREPLY+=("${line#"$prefix"}")
        ;;
    esac
  done <<<"$answer"
  # A word that ends in '=' waits for its value.
  if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
  return 0
}

complete -F _venvoy venvoy
)";

constexpr std::string_view zsh_script = R"(#compdef venvoy
# zsh completion for venvoy:  source <(venvoy completion zsh)
# or as a file `_venvoy` in a folder of $fpath.

_venvoy() {
  local program line value description paths=""
  local -a candidates
  program=$(whence -p -- "${(Q)words[1]}") || program=$(whence -p venvoy) || program=@PROGRAM@
  for line in "${(@f)$("$program" __complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      "") ;;
      :files) paths=files ;;
      :folders) paths=folders ;;
      *)
        value=${line%%$'\t'*}
        description=""
        if [[ $line == *$'\t'* ]]; then description=${line#*$'\t'}; fi
        value=${value//:/\\:}
        candidates+=("$value${description:+:$description}")
        ;;
    esac
  done
  if (( ${#candidates} )); then _describe -t values 'venvoy' candidates; fi
  if [[ -n $paths ]]; then
    if [[ $PREFIX == --*=* ]]; then compset -P '*='; fi
    if [[ $paths == folders ]]; then _files -/; else _files; fi
  fi
}

if [[ $funcstack[1] == _venvoy ]]; then
  _venvoy "$@"
else
  compdef _venvoy venvoy
fi
)";

constexpr std::string_view fish_script = R"(# fish completion for venvoy:  venvoy completion fish | source

function __venvoy_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program (command -s -- $words[1]; or command -s venvoy; or echo @PROGRAM@)
    set -l typed $words[2..-1]
    for line in ($program[1] __complete -- $typed "$current" 2>/dev/null)
        switch $line
            case :files :folders
                set -l option (string match -r -- '^--[^=]*=' $current)
                set -l part (string replace -r -- '^--[^=]*=' '' $current)
                if test $line = :folders
                    string replace -r -- '^' "$option" (__fish_complete_directories "$part" '')
                else
                    string replace -r -- '^' "$option" (__fish_complete_path "$part")
                end
            case '*'
                echo -- $line
        end
    end
end

complete -c venvoy -f -a '(__venvoy_complete)'
)";

// Older ones are found by `runs ls`.
constexpr std::size_t most_runs = 50;

struct Candidate {
  std::string word;
  std::string description;
};

struct Candidates {
  std::vector<Candidate> words;
  bool files = false;
  bool folders = false;

  void add(std::string word, std::string_view description = {}) {
    const auto lines = split_lines(description);
    words.push_back({std::move(word), lines.empty() ? std::string() : std::string(trim(lines.front()))});
  }
};

bool is_offered(const CLI::Option& option) {
  return !option.get_group().empty();
}

// The words that a set of choices allows, as CLI11 describes them: "TEXT:{a,b}", "value in {a->0,b->1} OR {0,1}".
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string text = option.get_type_name();
  const auto begin = text.find('{');
  const auto end = text.find('}', begin);
  std::vector<std::string> choices;
  if (begin == std::string::npos || end == std::string::npos) return choices;
  std::string_view rest = std::string_view(text).substr(begin + 1, end - begin - 1);
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    const std::string_view choice = rest.substr(0, comma);
    choices.emplace_back(trim(choice.substr(0, choice.find("->"))));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return choices;
}

// What the store knows. It is opened only if it is there: asking for a completion makes nothing.
class KnownPlugins {
 public:
  explicit KnownPlugins(const CommonOptions& common) : common_(common) {}

  void add_references(Candidates& candidates) {
    std::vector<std::string> added;
    for (const cache::Entry& entry : entries()) {
      const std::string reference = reference_of(entry);
      if (reference.empty() || std::find(added.begin(), added.end(), reference) != added.end()) continue;
      added.push_back(reference);
      candidates.add(reference);
    }
  }

  void add_keys(Candidates& candidates) {
    for (const cache::Entry& entry : entries())
      if (cache::counts_for_size(entry.bucket)) candidates.add(entry.name, reference_of(entry));
  }

  // Of a plugin that was asked for its schema before.
  void add_steps(Candidates& candidates, const std::string& reference) {
    const cache::Entry* entry = nullptr;
    for (const cache::Entry& each : entries())
      if (each.bucket == cache::Bucket::env && each.state == cache::Entry::State::ready &&
          reference_of(each) == reference && (!entry || entry->last_used < each.last_used))
        entry = &each;
    if (!entry) return;
    const auto record =
        store_->read_record(cache::Bucket::schema, fmt::format("{}-{}.cbor", entry->name, entry->generation));
    if (!record) return;
    atp::CborReader reader;
    reader.feed(std::as_bytes(std::span(*record)));
    const auto schema = reader.next();
    const schema::Value* steps = schema ? schema->find("steps") : nullptr;
    if (!steps || steps->kind() != schema::Kind::map) return;
    for (const auto& [id, step] : steps->as_map())
      if (id.kind() == schema::Kind::text) candidates.add(id.as_text());
  }

 private:
  static std::string reference_of(const cache::Entry& entry) {
    if (!entry.details.is_object()) return {};
    const auto reference = entry.details.find("reference");
    return reference != entry.details.end() && reference->is_string() ? reference->get<std::string>() : std::string();
  }

  const std::vector<cache::Entry>& entries() {
    if (entries_) return *entries_;
    entries_.emplace();
    CommonOptions silent = common_;
    silent.quiet = true;
    const ContextFiles files(silent.context);
    const auto configuration = load_configuration(silent, files, Talk(silent, &files));
    if (!configuration) return *entries_;
    deployer::PythonSettings settings;
    const auto python = configuration->deployers.find("python");
    if (python != configuration->deployers.end()) settings = deployer::read_python_settings(python->second);
    cache::StoreOptions options;
    options.workdir = fs::absolute(silent.workdir ? fs::path(*silent.workdir) : settings.workdir);
    options.uid = ::geteuid();
    options.shared_store = settings.shared_store;
    std::error_code error;
    if (!fs::is_directory(options.workdir / fmt::format("venvoy-{}", options.uid), error)) return *entries_;
    store_ = cache::Store::open(options);
    entries_ = cache::list(*store_);
    return *entries_;
  }

  const CommonOptions& common_;
  std::optional<cache::Store> store_;
  std::optional<std::vector<cache::Entry>> entries_;
};

// Goes through a command line as far as it is typed.
class CompletionWalk {
 public:
  CompletionWalk(const CLI::App& app, CommonOptions common) : app_(&app), common_(std::move(common)) {}

  // `words` without the program's name; the last one is being typed, and may be empty.
  Candidates candidates(const std::vector<std::string>& words) {
    for (std::size_t index = 0; index + 1 < words.size(); ++index) take(words[index]);
    const std::string current = words.empty() ? std::string() : words.back();
    Candidates found;
    const auto equals = current.find('=');
    if (waiting_) {
      add_values(found, *waiting_, {});
    } else if (!only_positionals_ && current.starts_with("--") && equals != std::string::npos) {
      if (const CLI::Option* option = find_option(current.substr(0, equals)))
        add_values(found, *option, current.substr(0, equals + 1));
    } else if (!only_positionals_ && current.starts_with("-")) {
      add_options(found);
    } else {
      add_words(found);
    }
    std::erase_if(found.words, [&](const Candidate& candidate) { return !candidate.word.starts_with(current); });
    return found;
  }

 private:
  using Options = std::vector<const CLI::Option*>;

  // Those of the command, and those of the commands above it that it lets through.
  Options options() const {
    Options all;
    for (const CLI::App* app = app_; app; app = app->get_fallthrough() ? app->get_parent() : nullptr)
      for (const CLI::Option* option : app->get_options())
        // Help and version of the commands above are not its own.
        if (is_offered(*option) && (app == app_ || (option != app->get_help_ptr() && option != app->get_version_ptr())))
          all.push_back(option);
    return all;
  }

  const CLI::Option* find_option(const std::string& name) const {
    for (const CLI::Option* option : options()) {
      for (const std::string& each : option->get_lnames())
        if (name == "--" + each) return option;
      for (const std::string& each : option->get_snames())
        if (name == "-" + each) return option;
    }
    return nullptr;
  }

  void take(const std::string& word) {
    if (waiting_) {
      note(*waiting_, word);
      waiting_ = nullptr;
    } else if (!only_positionals_ && word == "--") {
      only_positionals_ = true;
    } else if (!only_positionals_ && word.size() > 1 && word.front() == '-') {
      take_option(word);
    } else if (const CLI::App* next = positionals_.empty() ? subcommand(word) : nullptr) {
      app_ = next;
    } else {
      positionals_.push_back(word);
    }
  }

  void take_option(const std::string& word) {
    const auto equals = word.starts_with("--") ? word.find('=') : std::string::npos;
    const CLI::Option* option = find_option(word.substr(0, equals));
    if (!option || option->get_items_expected_max() == 0) return;
    if (equals == std::string::npos)
      waiting_ = option;
    else
      note(*option, word.substr(equals + 1));
  }

  // Options that decide which store is asked.
  void note(const CLI::Option& option, const std::string& value) {
    const auto is = [&](const char* name) {
      const auto& names = option.get_lnames();
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (is("config")) common_.config = value;
    if (is("context")) common_.context = value;
    if (is("workdir")) common_.workdir = value;
    if (is("state-dir")) common_.state_dir = value;
  }

  const CLI::App* subcommand(const std::string& name) const {
    for (const CLI::App* each : app_->get_subcommands([](const CLI::App*) { return true; }))
      if (each->get_name() == name) return each;
    return nullptr;
  }

  void add_options(Candidates& found) const {
    for (const CLI::Option* option : options()) {
      for (const std::string& name : option->get_lnames()) found.add("--" + name, option->get_description());
      for (const std::string& name : option->get_snames()) found.add("-" + name, option->get_description());
    }
  }

  // What is neither an option nor the value of one.
  void add_words(Candidates& found) {
    if (positionals_.empty())
      for (const CLI::App* each : app_->get_subcommands([](const CLI::App*) { return true; }))
        if (!each->get_group().empty()) found.add(each->get_name(), each->get_description());
    std::size_t before = positionals_.size();
    for (const CLI::Option* option : app_->get_options()) {
      if (!option->get_positional() || !is_offered(*option)) continue;
      const auto most = static_cast<std::size_t>(std::max(option->get_items_expected_max(), 0));
      if (before < most) return add_values(found, *option, {});
      before -= most;
    }
  }

  // By the name of the value's type; of an argument by its own name. `prefix` is what stands before the value.
  void add_values(Candidates& found, const CLI::Option& option, const std::string& prefix) {
    const auto choices = choices_of(option);
    for (const std::string& choice : choices) found.add(prefix + choice);
    if (!choices.empty()) return;
    const std::string type = option.get_positional() ? option.get_name(true) : option.get_type_name();
    if (type == "DIR") found.folders = true;
    if (type == "FILE" || type == "PATH" || type == "WORKFLOW") found.files = true;
    try {
      add_known(found, type, prefix);
    } catch (const std::exception&) {
      // A store that cannot be read knows nothing; whoever calls the command will be told.
    }
  }

  void add_known(Candidates& found, const std::string& type, const std::string& prefix) {
    KnownPlugins plugins(common_);
    Candidates known;
    if (type == "REF") plugins.add_references(known);
    if (type == "KEY") plugins.add_keys(known);
    const bool of_runs = app_->get_parent() && app_->get_parent()->get_name() == "runs";
    if (type == "STEP" && !positionals_.empty() && !of_runs) plugins.add_steps(known, positionals_.back());
    if (of_runs && type == "RUN") add_runs(known);
    if (of_runs && type == "STEP" && !positionals_.empty()) add_steps_of_run(known, positionals_.back());
    for (const Candidate& candidate : known.words) found.add(prefix + candidate.word, candidate.description);
    // `./path` is a reference too.
    if (type == "REF") found.folders = true;
  }

  // What the history knows.
  void add_runs(Candidates& known) const {
    const auto history = report::History::open(state_folder(common_));
    if (!history) return;
    known.add("latest");
    for (const report::RunSummary& run : history->list(most_runs)) known.add(run.run, run.workflow + " " + run.state());
  }

  void add_steps_of_run(Candidates& known, const std::string& name) const {
    const auto history = report::History::open(state_folder(common_));
    if (!history) return;
    for (const report::StepRecord& step : history->load(history->find(name)).steps)
      known.add(report::step_title(step.name));
  }

  const CLI::App* app_;
  CommonOptions common_;
  const CLI::Option* waiting_ = nullptr;  // for its value
  std::vector<std::string> positionals_;
  bool only_positionals_ = false;
};

std::string completion_script(const std::string& shell) {
  std::string script(shell == "bash" ? bash_script : shell == "zsh" ? zsh_script : fish_script);
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  constexpr std::string_view mark = "@PROGRAM@";
  const std::string known = error ? "venvoy" : shell_quoted(program.string());
  for (auto place = script.find(mark); place != std::string::npos; place = script.find(mark, place + known.size()))
    script.replace(place, mark.size(), known);
  return script;
}

}  // namespace

void add_completion_command(CLI::App& app, CommonOptions&, Action& action) {
  CLI::App* completion = app.add_subcommand("completion", "Print a script by which a shell completes command lines");
  const auto shell = std::make_shared<std::string>();
  completion->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->option_text("bash|zsh|fish");
  completion->footer(
      "For good: `venvoy completion bash > ~/.local/share/bash-completion/completions/venvoy`,\n"
      "`venvoy completion zsh > FOLDER/_venvoy` with a FOLDER of $fpath, or\n"
      "`venvoy completion fish > ~/.config/fish/completions/venvoy.fish`.\n\n"
      "Example: venvoy completion bash > venvoy.bash");
  completion->callback([&action, shell] {
    action = [shell] {
      write_out(completion_script(*shell));
      return exit_number(PlainExit::ok);
    };
  });
}

std::optional<int> answer_completion(const CLI::App& app, const CommonOptions& common, int argc, char** argv) {
  if (argc < 2 || std::string_view(argv[1]) != "__complete") return std::nullopt;
  std::vector<std::string> words(argv + 2, argv + argc);
  if (!words.empty() && words.front() == "--") words.erase(words.begin());
  const Candidates found = CompletionWalk(app, common).candidates(words);
  std::string answer;
  for (const Candidate& candidate : found.words)
    answer += candidate.word + (candidate.description.empty() ? "" : "\t" + candidate.description) + "\n";
  if (found.files) answer += ":files\n";
  if (found.folders) answer += ":folders\n";
  write_out(answer);
  return exit_number(PlainExit::ok);
}

}  // namespace venvoy::cli
