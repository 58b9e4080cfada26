#include "report/html_report.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "report/graph_svg.hpp"
#include "report/internal/html_script.hpp"
#include "report/internal/html_style.hpp"
#include "report/internal/xml.hpp"
#include "report/plain_progress.hpp"
#include "report/why.hpp"
#include "schema/json.hpp"
#include "schema/yaml_writer.hpp"

namespace venvoy::report {

using internal::xml_lines;
using internal::xml_text;
using std::chrono::microseconds;
using workflow::Outcome;

namespace {

// Failed steps whose errors stand at the top.
constexpr std::size_t most_problems = 20;
// Of an error there; all of it is in the step's details.
constexpr std::size_t most_problem_bytes = 4000;
// Marks of a time axis, at most.
constexpr double most_ticks = 8;

constexpr std::string_view not_begun = "waiting";

std::string state_of(const StepRecord& step) {
  if (!step.ended) return step.started ? "running" : std::string(not_begun);
  if (step.outcome == Outcome::cancelled && !step.started) return "not run";
  return std::string(to_text(step.outcome));
}

std::string_view symbol_of(std::string_view state) {
  if (state == "succeeded") return "✓";
  if (state == "failed" || state == "died") return "✗";
  if (state == "running") return "▶";
  if (state == "cancelled") return "■";
  return "–";
}

std::string badge(std::string_view state) {
  const std::string text = xml_text(state);
  // "not run" is a state of two words, and no class.
  const std::string_view class_name = std::string_view(text).substr(0, text.find(' '));
  return fmt::format("<span class=\"state {}\"><span aria-hidden=\"true\">{}</span> {}</span>", class_name,
                     symbol_of(state), text);
}

// JSON as it was kept, as YAML for people; as it is when it was cut off.
std::string for_people(const std::string& json) {
  if (json.empty()) return {};
  try {
    return schema::write_yaml(schema::read_json(json));
  } catch (const Error&) {
    return json;
  }
}

// Text in a script element: nothing in it can end the element or begin a comment.
std::string script_json(const schema::Value& value) {
  std::string text;
  for (const char symbol : schema::write_json(value, {.indent = 0})) {
    if (is_in("<>&", symbol))
      text += fmt::format("\\u{:04x}", static_cast<unsigned char>(symbol));
    else
      text += symbol;
  }
  return text;
}

struct GanttBar {
  std::string kind;  // class of its colour
  std::string title;
  WallTime begin;
  WallTime end;
};
struct GanttRow {
  std::string name;
  std::string link;  // may be empty
  std::string took;
  std::vector<GanttBar> bars;
};

// A round number of microseconds between two marks.
double tick_of(double span) {
  const double least = span / most_ticks;
  const double power = std::pow(10, std::floor(std::log10(std::max(least, 1.0))));
  for (const double step : {1.0, 2.0, 5.0, 10.0})
    if (step * power >= least) return step * power;
  return 10 * power;
}

class GanttWriter {
 public:
  GanttWriter(WallTime begin, WallTime end) : begin_(begin), span_(std::max<double>(1, number(end - begin))) {}

  std::string write(const std::vector<GanttRow>& rows, const std::string& label) const {
    std::string text =
        fmt::format("<div class=\"gantt\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">\n", xml_text(label)) +
        axis() + "<ol>\n";
    for (const GanttRow& row : rows) text += line(row);
    return text + "</ol>\n</div>\n";
  }

 private:
  static double number(microseconds time) { return static_cast<double>(time.count()); }
  double percent(WallTime time) const { return std::clamp(number(time - begin_) / span_ * 100, 0.0, 100.0); }

  std::string axis() const {
    std::string text = "<div class=\"axis\" aria-hidden=\"true\"><span></span><div class=\"track\">";
    const double tick = tick_of(span_);
    for (double at = 0; at <= span_ * 0.97; at += tick)
      text += fmt::format("<span style=\"left:{:.3f}%\">{}</span>", at / span_ * 100,
                          at == 0 ? "0" : step_time_text(microseconds(static_cast<std::int64_t>(at))));
    return text + "</div><span></span></div>\n";
  }

  std::string line(const GanttRow& row) const {
    const std::string name = xml_text(row.name);
    std::string text = fmt::format("<li><span class=\"row-name\" title=\"{0}\">{1}</span><span class=\"track\">", name,
                                   row.link.empty() ? name : fmt::format("<a href=\"{}\">{}</a>", row.link, name));
    for (const GanttBar& bar : row.bars) {
      const double left = percent(bar.begin);
      text += fmt::format("<i class=\"b-{}\" style=\"left:{:.3f}%;width:{:.3f}%\" title=\"{}\"></i>", bar.kind, left,
                          std::max(percent(bar.end) - left, 0.0), xml_text(bar.title));
    }
    return text + fmt::format("</span><span class=\"took\">{}</span></li>\n", xml_text(row.took));
  }

  WallTime begin_;
  double span_;
};

class PageWriter {
 public:
  PageWriter(const RunFacts& facts, HtmlReportOptions options) : facts_(facts), options_(std::move(options)) {
    for (const StepRecord& step : facts_.steps) entries_.push_back({&step, step.name, state_of(step)});
    // What never began is known from the plan alone.
    for (const PlannedStep& planned : facts_.planned)
      if (planned.loop.empty() && !facts_.find({planned.id, {}, {}}))
        entries_.push_back({nullptr, {planned.id, {}, {}}, "not run"});
    for (std::size_t at = 0; at < entries_.size(); ++at) entries_[at].number = at;
    worst_.resize(entries_.size());
    for (std::size_t at = 0; at < worst_.size(); ++at) worst_[at] = at;
    std::stable_sort(worst_.begin(), worst_.end(), [this](std::size_t left, std::size_t right) {
      const auto rank = [](const Entry& entry) { return entry.state == "failed" ? 0 : entry.step ? 1 : 2; };
      const Entry& a = entries_[left];
      const Entry& b = entries_[right];
      if (rank(a) != rank(b)) return rank(a) < rank(b);
      return time_of(a) > time_of(b);
    });
  }

  std::string write() {
    begin_page();
    add_header();
    add_navigation();
    text_ += "<main>\n";
    add_problems();
    add_timeline();
    add_steps();
    add_graph();
    add_data();
    add_plugins();
    add_machine();
    text_ +=
        "</main>\n<footer>Written by venvoy. This page is complete in itself: it loads nothing.</footer>\n</div>\n";
    add_step_data();
    text_ += fmt::format("<script>{}</script>\n</body>\n</html>\n", internal::html_script);
    return std::move(text_);
  }

 private:
  struct Entry {
    const StepRecord* step;  // null for one that never began
    workflow::StepName name;
    std::string state;
    std::size_t number = 0;
  };

  static microseconds time_of(const Entry& entry) { return entry.step ? entry.step->run_time() : microseconds(-1); }

  std::string run_state() const {
    if (!facts_.ended) return "running";
    return std::string(to_text(facts_.outcome));
  }

  void begin_page() {
    text_ = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'\">\n<meta name=\"generator\" content=\"venvoy\">\n"
        "<title>{} {} – {}</title>\n<style>{}</style>\n</head>\n<body>\n"
        "<a class=\"skip\" href=\"#steps\">To the steps</a>\n<div class=\"page\">\n",
        symbol_of(run_state()), xml_text(facts_.workflow), run_state(), internal::html_style);
  }

  void add_tile(std::string_view name, const std::string& value, const std::string& more = {}) {
    text_ += fmt::format("<div><dt>{}</dt><dd>{}{}</dd></div>\n", name, xml_text(value),
                         more.empty() ? std::string() : fmt::format(" <small>{}</small>", xml_text(more)));
  }

  void add_header() {
    text_ += fmt::format("<header>\n<p class=\"kicker\">Workflow run <span class=\"mono\">{}</span></p>\n<h1>{}</h1>\n",
                         xml_text(facts_.run), xml_text(facts_.workflow));
    std::string verdict;
    if (!facts_.output_id.empty())
      verdict = fmt::format("with the output <strong>{}</strong>", xml_text(facts_.output_id));
    else if (!facts_.error.empty())
      verdict = "without an output";
    text_ +=
        fmt::format("<p class=\"verdict\">{} <span>{}</span></p>\n<dl class=\"tiles\">\n", badge(run_state()), verdict);
    const std::string moment = rfc3339_utc(facts_.begin);
    add_tile("Started", moment.substr(0, 10), moment.substr(11, 8) + " UTC");
    if (facts_.ended) add_tile("Took", step_time_text(*facts_.ended - facts_.begin));
    if (facts_.started && *facts_.started - facts_.begin > microseconds(0))
      add_tile("Making ready", step_time_text(*facts_.started - facts_.begin), "of it");
    const OutcomeCounts& ended = facts_.ended_steps;
    const auto count = [&](Outcome outcome) { return ended[static_cast<std::size_t>(outcome)]; };
    std::size_t planned = 0;
    for (const PlannedStep& step : facts_.planned) planned += step.loop.empty() ? 1 : 0;
    std::string more;
    for (const Outcome outcome : {Outcome::failed, Outcome::cancelled, Outcome::disabled})
      if (count(outcome) > 0)
        more += fmt::format("{}{} {}", more.empty() ? "" : ", ", count(outcome), to_text(outcome));
    add_tile("Steps succeeded",
             fmt::format("{} of {}", count(Outcome::succeeded),
                         std::max<std::uint64_t>(planned, facts_.steps.empty() ? 0 : 1)),
             more);
    std::uint64_t items = 0;
    std::uint64_t good = 0;
    for (const StepRecord& step : facts_.steps) {
      items += step.items;
      good += step.items_ended[static_cast<std::size_t>(Outcome::succeeded)];
    }
    if (items > 0) add_tile("Loop items succeeded", fmt::format("{} of {}", good, items));
    text_ += "</dl>\n</header>\n";
  }

  void add_navigation() {
    text_ += "<nav aria-label=\"Parts of this page\"><ul>\n";
    const auto add = [this](const char* id, const char* name) {
      text_ += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", id, name);
    };
    if (has_problems()) add("problems", "What went wrong");
    add("timeline", "Timeline");
    add("steps", "Steps");
    if (!options_.graph.nodes.empty()) add("graph", "Graph");
    add("result", "Input and result");
    if (!facts_.plugins.empty()) add("plugins", "Plugins");
    if (!options_.machine.empty()) add("machine", "Machine");
    text_ += "</ul></nav>\n";
  }

  bool has_problems() const {
    return !facts_.error.empty() || !facts_.warnings.empty() ||
           std::any_of(entries_.begin(), entries_.end(), [](const Entry& entry) { return entry.state == "failed"; });
  }

  void add_problems() {
    if (!has_problems()) return;
    text_ += "<section id=\"problems\" aria-labelledby=\"h-problems\">\n<h2 id=\"h-problems\">What went wrong</h2>\n";
    if (!facts_.error.empty())
      text_ += fmt::format("<div class=\"problem\"><h3>The run</h3><pre tabindex=\"0\">{}</pre></div>\n",
                           xml_lines(facts_.error));
    std::size_t told = 0;
    std::size_t failed = 0;
    for (const std::size_t at : worst_) {
      const Entry& entry = entries_[at];
      if (entry.state != "failed" || ++failed > most_problems) continue;
      ++told;
      add_problem(entry);
    }
    if (failed > told) text_ += fmt::format("<p class=\"quiet\">and {} more failed steps, below.</p>\n", failed - told);
    for (const std::string& warning : facts_.warnings)
      text_ += fmt::format("<p class=\"note\">Warning: {}</p>\n", xml_text(warning));
    text_ += "</section>\n";
  }

  void add_problem(const Entry& entry) {
    const StepRecord& step = *entry.step;
    std::string error = step.error.empty() ? for_people(step.output) : step.error;
    if (error.size() > most_problem_bytes) error = to_valid_utf8(error.substr(0, most_problem_bytes)) + "…";
    text_ += fmt::format(
        "<div class=\"problem\"><h3><a href=\"#step-{}\">{}</a></h3><p class=\"quiet\">{}</p><pre "
        "tabindex=\"0\">{}</pre></div>\n",
        entry.number, xml_text(step_title(entry.name)),
        xml_text(step.has_error_output() ? fmt::format("ended with its error output '{}'", step.output_id)
                                         : fmt::format("ended in the stage '{}'", step.stage)),
        xml_lines(error));
  }

  WallTime last_moment() const {
    WallTime last = facts_.begin;
    for (const StepRecord& step : facts_.steps)
      for (const auto& time : {step.deployed, step.started, step.ended})
        if (time) last = std::max(last, *time);
    return facts_.ended ? *facts_.ended : last;
  }

  void add_timeline() {
    text_ += "<section id=\"timeline\" aria-labelledby=\"h-timeline\">\n<h2 id=\"h-timeline\">Timeline</h2>\n";
    add_preparing();
    const WallTime begin = facts_.started.value_or(facts_.begin);
    std::vector<GanttRow> rows;
    for (const Entry& entry : entries_)
      if (entry.step && (entry.step->started || entry.state == "failed")) rows.push_back(row_of(entry, last_moment()));
    if (rows.empty()) {
      text_ += "<p class=\"quiet\">No step began.</p>\n</section>\n";
      return;
    }
    std::stable_sort(rows.begin(), rows.end(), [](const GanttRow& left, const GanttRow& right) {
      return !left.bars.empty() && !right.bars.empty() && left.bars.front().begin < right.bars.front().begin;
    });
    text_ +=
        "<h3>Steps</h3>\n<ul class=\"legend\"><li><i class=\"b-deploy\"></i>deploy</li><li><i "
        "class=\"b-start\"></i>start</li><li><i class=\"b-run\"></i>run</li><li><i class=\"b-bad\"></i>run that "
        "failed</li></ul>\n";
    text_ += GanttWriter(begin, last_moment()).write(rows, "When each step was deployed, started and ran");
    if (facts_.left_out > 0)
      text_ += fmt::format(
          "<p class=\"quiet\">{} more steps of loop items are counted and not shown: the quickest "
          "ones.</p>\n",
          facts_.left_out);
    text_ += "</section>\n";
  }

  GanttRow row_of(const Entry& entry, WallTime last) const {
    const StepRecord& step = *entry.step;
    GanttRow row{step_title(entry.name), fmt::format("#step-{}", entry.number), {}, {}};
    const auto add = [&](const char* kind, const char* name, WallTime begin, WallTime end) {
      row.bars.push_back({kind, fmt::format("{}: {}", name, step_time_text(end - begin)), begin, end});
    };
    if (step.deployed && step.deploy_time > microseconds(0))
      add("deploy", "deploy", *step.deployed - step.deploy_time, *step.deployed);
    if (step.started && step.start_time > microseconds(0))
      add("start", "start", *step.started - step.start_time, *step.started);
    if (step.started)
      add(entry.state == "failed" ? "bad" : "run", "run", *step.started, step.ended.value_or(last));
    else if (step.ended)
      add("bad", "failed", *step.ended, *step.ended);
    row.took = step.started ? step_time_text(step.ended.value_or(last) - *step.started) : "–";
    return row;
  }

  void add_preparing() {
    std::vector<GanttRow> rows;
    for (const PluginRecord& plugin : facts_.plugins) {
      GanttRow row{module_label(plugin.reference), "#plugins", {}, {}};
      microseconds sum{};
      for (const PluginRecord::Phase& phase : plugin.phases) {
        const WallTime end = phase.end.value_or(facts_.started.value_or(last_moment()));
        sum += end - phase.begin;
        row.bars.push_back({phase.outcome == "failed" ? std::string("bad") : phase.name,
                            fmt::format("{}: {} {}", phase.name, step_time_text(end - phase.begin), phase.outcome),
                            phase.begin, end});
      }
      if (row.bars.empty()) continue;
      row.took = step_time_text(sum);
      rows.push_back(std::move(row));
    }
    if (rows.empty()) return;
    text_ +=
        "<h3>Making plugins ready</h3>\n<ul class=\"legend\"><li><i class=\"b-resolve\"></i>resolve</li><li><i "
        "class=\"b-build\"></i>build</li><li><i class=\"b-install\"></i>install</li></ul>\n";
    text_ += GanttWriter(facts_.begin, facts_.started.value_or(last_moment()))
                 .write(rows, "When each plugin was resolved, built and installed");
  }

  void add_steps() {
    text_ +=
        "<section id=\"steps\" aria-labelledby=\"h-steps\">\n<h2 id=\"h-steps\">Steps</h2>\n"
        "<noscript><p class=\"note\">Inputs, outputs and logs of the steps are shown by a script.</p></noscript>\n"
        "<div class=\"tools\" id=\"step-tools\" hidden>\n<label>Search<input id=\"step-words\" type=\"search\" "
        "autocomplete=\"off\"></label>\n<label>State<select id=\"step-state\"><option value=\"\">all</option>";
    std::map<std::string, std::size_t> states;
    for (const Entry& entry : entries_) ++states[entry.state];
    for (const auto& [state, count] : states)
      text_ += fmt::format("<option value=\"{0}\">{0} ({1})</option>", xml_text(state), count);
    text_ +=
        "</select></label>\n<label>Order<select id=\"step-order\"><option value=\"worst\">failed and slowest "
        "first</option><option value=\"begin\">in the order of their beginnings</option><option "
        "value=\"name\">by name</option></select></label>\n<output id=\"step-count\" "
        "aria-live=\"polite\"></output>\n</div>\n"
        "<div class=\"wide\">\n<table id=\"step-table\">\n<thead><tr><th scope=\"col\">Step</th><th "
        "scope=\"col\">State</th><th scope=\"col\" class=\"number\">Ran for</th><th scope=\"col\" class=\"number "
        "hide-small\">Began after</th><th scope=\"col\" class=\"hide-small\">Runs</th></tr></thead>\n<tbody>\n";
    for (std::size_t rank = 0; rank < worst_.size(); ++rank) add_step(entries_[worst_[rank]], rank);
    text_ += "</tbody>\n</table>\n</div>\n</section>\n";
  }

  void add_step(const Entry& entry, std::size_t rank) {
    const StepRecord* step = entry.step;
    const PlannedStep* planned = facts_.find_planned(entry.name);
    const WallTime base = facts_.started.value_or(facts_.begin);
    std::string runs;
    if (planned)
      runs = planned->is_loop ? planned->plugin_step
                              : fmt::format("{} · {}", planned->plugin_step, module_label(planned->plugin));
    else if (step)
      runs = step->plugin_step;
    std::string items;
    if (step && step->items > 0)
      items = fmt::format(" <small class=\"quiet\">{} of {} items</small>",
                          step->items_ended[static_cast<std::size_t>(Outcome::succeeded)], step->items);
    text_ += fmt::format(
        "<tr id=\"step-{0}\" data-number=\"{0}\" data-state=\"{1}\" data-worst=\"{2}\" data-begin=\"{0}\"><th "
        "scope=\"row\">{3}</th><td>{4}{5}</td><td class=\"number\">{6}</td><td class=\"number hide-small\">{7}</td><td "
        "class=\"hide-small\">{8}</td></tr>\n",
        entry.number, xml_text(entry.state), rank, xml_text(step_title(entry.name)), badge(entry.state), items,
        step && step->started && step->ended ? step_time_text(step->run_time()) : "",
        step && step->started ? step_time_text(*step->started - base) : "", xml_text(runs));
  }

  void add_graph() {
    if (options_.graph.nodes.empty()) return;
    for (GraphPicture::Node& node : options_.graph.nodes) {
      constexpr std::string_view prefix = "steps.";
      std::string state;
      if (node.id.starts_with(prefix)) {
        const StepRecord* step = facts_.find({node.id.substr(prefix.size()), {}, {}});
        state = step ? state_of(*step) : "not run";
      } else if (node.id == "outputs." + facts_.output_id) {
        state = "succeeded";
      } else {
        continue;
      }
      node.tooltip += ": " + state;
      node.text = fmt::format("{} {}", symbol_of(state), node.text);
      node.state = state == "not run" ? std::string("cancelled") : state;
    }
    text_ += fmt::format(
        "<section id=\"graph\" aria-labelledby=\"h-graph\">\n<h2 id=\"h-graph\">Graph</h2>\n<p class=\"quiet\">What "
        "needs what. Dashed lines are for what is used if it comes.</p>\n<figure tabindex=\"0\" "
        "aria-label=\"Dependency graph\">\n{}</figure>\n</section>\n",
        graph_svg(options_.graph));
  }

  void add_data() {
    text_ +=
        "<section id=\"result\" aria-labelledby=\"h-result\">\n<h2 id=\"h-result\">Input and result</h2>\n<div "
        "class=\"pair\">\n";
    const auto add = [this](const std::string& title, const std::string& json) {
      text_ += fmt::format("<div><h3>{}</h3><pre tabindex=\"0\">{}</pre></div>\n", xml_text(title),
                           json.empty() ? "(none)" : xml_lines(for_people(json)));
    };
    add("Input", facts_.input);
    add(facts_.output_id.empty() ? "Output" : fmt::format("Output '{}'", facts_.output_id), facts_.output);
    text_ += "</div>\n</section>\n";
  }

  void add_plugins() {
    if (facts_.plugins.empty()) return;
    text_ +=
        "<section id=\"plugins\" aria-labelledby=\"h-plugins\">\n<h2 id=\"h-plugins\">Plugins</h2>\n<div "
        "class=\"wide\">\n<table>\n<thead><tr><th scope=\"col\">Reference</th><th scope=\"col\">Commit or "
        "version</th><th scope=\"col\">Environment</th><th scope=\"col\">Made ready</th></tr></thead>\n<tbody>\n";
    for (const PluginRecord& plugin : facts_.plugins) {
      std::string environment;
      std::string version = plugin.commit;
      for (const StepRecord& step : facts_.steps) {
        if (step.reference != plugin.reference) continue;
        environment = step.environment;
        version = step.version;
        break;
      }
      std::string ready = plugin.ready.empty() ? "no" : plugin.ready;
      for (const PluginRecord::Phase& phase : plugin.phases)
        ready += fmt::format("; {} {}{}", phase.name,
                             phase.end ? step_time_text(*phase.end - phase.begin) : std::string("not ended"),
                             phase.outcome == "ok" || phase.outcome.empty() ? "" : " (" + phase.outcome + ")");
      text_ += fmt::format(
          "<tr><th scope=\"row\" class=\"mono\">{}</th><td class=\"mono\">{}</td><td "
          "class=\"mono\">{}</td><td>{}</td></tr>\n",
          xml_text(plugin.reference), xml_text(version), xml_text(environment), xml_text(ready));
    }
    text_ += "</tbody>\n</table>\n</div>\n</section>\n";
  }

  void add_machine() {
    if (options_.machine.empty()) return;
    text_ +=
        "<section id=\"machine\" aria-labelledby=\"h-machine\">\n<h2 id=\"h-machine\">Machine</h2>\n<dl "
        "class=\"facts\">\n";
    for (const auto& [name, value] : options_.machine)
      text_ += fmt::format("<dt>{}</dt><dd>{}</dd>\n", xml_text(name), xml_text(value));
    text_ += "</dl>\n</section>\n";
  }

  // An element for each step: a page with many of them reads only what is looked at.
  void add_step_data() {
    for (const Entry& entry : entries_)
      text_ += fmt::format("<script type=\"application/json\" id=\"step-data-{}\">{}</script>\n", entry.number,
                           script_json(data_of(entry)));
  }

  schema::Value data_of(const Entry& entry) const {
    const Why reason = why(facts_, entry.name);
    schema::List facts;
    const auto add = [&](const char* name, const std::string& value) {
      if (!value.empty()) facts.push_back(schema::List{name, value});
    };
    const PlannedStep* planned = facts_.find_planned(entry.name);
    add("Why", reason.sentence);
    if (planned && planned->line > 0) add("Written in", fmt::format("{}:{}", planned->file, planned->line));
    if (planned) add(planned->is_loop ? "Sub-workflow" : "Plugin's step", planned->plugin_step);
    schema::List needs;
    for (const NeedMet& met : reason.needs) {
      const std::string how = met.came ? (met.need->step.empty() ? std::string("there at the start")
                                                                 : "came after " + step_time_text(met.after))
                                       : "did not come" + (met.instead.empty() ? "" : ": " + met.instead);
      needs.emplace_back(fmt::format("{}: {}", met.need->name, how));
    }
    schema::Map data{
        {"facts", schema::List()}, {"needs", std::move(needs)},  {"error", reason.error}, {"input", ""}, {"output", ""},
        {"log", schema::List()},   {"last_log", schema::List()}, {"dropped", 0}};
    if (const StepRecord* step = entry.step) {
      add("Plugin", step->reference);
      add("Commit or version", step->version);
      add("Environment", step->environment);
      if (!step->node.empty()) add("Node", step->node);
      if (step->deployed) add("Deploy took", step_time_text(step->deploy_time));
      if (step->started) {
        add("Start took", step_time_text(step->start_time));
        add("Started", rfc3339_utc(*step->started));
      }
      if (step->ended)
        add("Ended", fmt::format("{} with {}.{}", rfc3339_utc(*step->ended), step->stage, step->output_id));
      add_items(facts, *step);
      data.set("input", for_people(step->input));
      data.set("output", for_people(step->output));
      data.set("log", lines_of(step->first_log));
      data.set("last_log", lines_of(step->last_log));
      data.set("dropped", static_cast<std::int64_t>(step->dropped_lines));
    }
    data.set("facts", std::move(facts));
    return data;
  }

  void add_items(schema::List& facts, const StepRecord& step) const {
    if (step.items == 0) return;
    std::string text;
    for (const Outcome outcome : {Outcome::succeeded, Outcome::failed, Outcome::cancelled})
      if (const std::uint64_t count = step.items_ended[static_cast<std::size_t>(outcome)]; count > 0)
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, to_text(outcome));
    facts.push_back(schema::List{"Items", fmt::format("{}: {}", step.items, text)});
    for (const ItemRecord& item : facts_.failed_items)
      if (item.loop == step.name) facts.push_back(schema::List{fmt::format("Item {}", item.index), item.error});
  }

  template <class Lines>
  schema::List lines_of(const Lines& lines) const {
    schema::List result;
    for (const LogLine& line : lines)
      result.push_back(
          schema::List{rfc3339_utc(line.time).substr(11, 12), std::string(to_text(line.level)), line.text});
    return result;
  }

  const RunFacts& facts_;
  HtmlReportOptions options_;
  std::vector<Entry> entries_;
  std::vector<std::size_t> worst_;  // positions of entries
  std::string text_;
};

}  // namespace

std::string html_report(const RunFacts& facts, HtmlReportOptions options) {
  return PageWriter(facts, std::move(options)).write();
}

}  // namespace venvoy::report
