// venvoy cache …: looking at the store, and making room in it.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "cache/collect.hpp"
#include "cli/commands.hpp"
#include "cli/governed.hpp"
#include "cli/quantity.hpp"
#include "cli/session.hpp"
#include "report/plain_progress.hpp"
#include "schema/json.hpp"
#include "source/verify_mirror.hpp"

namespace venvoy::cli {
namespace {

namespace asio = boost::asio;

std::string_view to_text(cache::Entry::State state) {
  switch (state) {
    case cache::Entry::State::ready:
      return "ready";
    case cache::Entry::State::superseded:
      return "superseded";
    case cache::Entry::State::building:
      return "building";
    case cache::Entry::State::rubbish:
      return "rubbish";
  }
  return "";
}

schema::Map to_map(const cache::Entry& entry) {
  schema::Map map;
  map.insert("bucket", cache::name_of(entry.bucket));
  map.insert("name", entry.name);
  if (entry.generation != 0) map.insert("generation", std::int64_t{entry.generation});
  map.insert("state", to_text(entry.state));
  map.insert("in_use", entry.in_use);
  map.insert("bytes", static_cast<std::int64_t>(entry.bytes));
  map.insert("created", rfc3339_utc(entry.created));
  map.insert("last_used", rfc3339_utc(entry.last_used));
  map.insert("path", entry.path.string());
  if (const auto reference = entry.details.find("reference"); reference != entry.details.end())
    map.insert("reference", reference->get<std::string>());
  if (const auto tool = entry.details.find("tool"); tool != entry.details.end())
    map.insert("tool", tool->get<std::string>() + " " + entry.details.value("version", ""));
  return map;
}

// What `ls` and `du` show: what was made for somebody. The rest is small records.
bool is_shown(const cache::Entry& entry) {
  return cache::counts_for_size(entry.bucket);
}

std::string title_of(const cache::Entry& entry) {
  std::string title = fmt::format("{} {}", cache::name_of(entry.bucket), entry.name);
  if (entry.generation != 0) title += fmt::format(" generation {}", entry.generation);
  if (const auto reference = entry.details.find("reference"); reference != entry.details.end())
    title += fmt::format(" ({})", reference->get<std::string>());
  if (const auto tool = entry.details.find("tool"); tool != entry.details.end())
    title += fmt::format(" ({} {})", tool->get<std::string>(), entry.details.value("version", ""));
  return title;
}

// Everything that is known of an entry; its manifest is JSON already.
schema::Map whole_map(const cache::Entry& entry) {
  schema::Map map = to_map(entry);
  schema::List users;
  for (const pid_t user : entry.users) users.push_back(std::int64_t{user});
  map.insert("users", std::move(users));
  schema::Map inputs;
  for (const auto& [name, value] : entry.inputs) inputs.set(name, value);
  if (!entry.inputs.empty()) map.insert("inputs", std::move(inputs));
  if (entry.details.is_object()) map.insert("manifest", schema::read_json(entry.details.dump()));
  return map;
}

// CycloneDX 1.5: the distributions of an environment.
schema::Map bill_of_materials(const cache::Entry& entry) {
  schema::List components;
  if (const auto distributions = entry.details.find("distributions"); distributions != entry.details.end())
    for (const nlohmann::json& each : *distributions) {
      const std::string name = each.value("name", ""), version = each.value("version", "");
      components.push_back(schema::Map{{"type", "library"},
                                       {"name", name},
                                       {"version", version},
                                       {"purl", fmt::format("pkg:pypi/{}@{}", name, version)}});
    }
  const schema::Map application{{"type", "application"},
                                {"name", entry.details.value("reference", entry.name)},
                                {"version", entry.details.value("version", "")}};
  return {{"bomFormat", "CycloneDX"},
          {"specVersion", "1.5"},
          {"version", 1},
          {"metadata", schema::Map{{"timestamp", rfc3339_utc(entry.created)}, {"component", application}}},
          {"components", std::move(components)}};
}

struct PruneArguments {
  std::optional<std::string> max_size;
  std::optional<std::string> max_age;
  bool dry_run = false;
};

class CacheCommand {
 public:
  explicit CacheCommand(const CommonOptions& common) : files_(common.context), talk_(common, &files_), common_(common) {
    auto configuration = load_configuration(common_, files_, talk_);
    if (configuration) session_ = std::make_unique<Session>(std::move(*configuration), runtime_options(common_, talk_));
  }

  int print_directory() {
    if (!session_) return exit_number(PlainExit::failed);
    write_out(store().path().string() + "\n");
    return exit_number(PlainExit::ok);
  }

  int list() {
    if (!session_) return exit_number(PlainExit::failed);
    schema::List entries;
    for (const cache::Entry& entry : cache::list(store()))
      if (is_shown(entry)) entries.push_back(to_map(entry));
    write_out(data_document(std::move(entries), common_.output));
    return exit_number(PlainExit::ok);
  }

  // `key` is a name of `ls`, its first digits, or a reference.
  int show(const std::string& key, bool sbom) {
    if (!session_) return exit_number(PlainExit::failed);
    schema::List found;
    std::vector<std::string> names;
    for (const cache::Entry& entry : cache::list(store())) {
      if (!is_shown(entry)) continue;
      names.push_back(entry.name);
      const auto reference = entry.details.find("reference");
      const bool meant = entry.name.starts_with(key) || (reference != entry.details.end() && *reference == key);
      if (!meant || (sbom && entry.bucket != cache::Bucket::env)) continue;
      found.push_back(sbom ? bill_of_materials(entry) : whole_map(entry));
    }
    if (key.empty() || found.empty())
      throw Error(ErrorCode::unresolvable, fmt::format("the store holds no '{}'{}", key, did_you_mean(key, names)))
          .with_hint("venvoy cache ls shows what is there");
    if (sbom)
      write_out(data_document(std::move(found.back()), OutputForm::json));
    else
      write_out(data_document(std::move(found), common_.output));
    return exit_number(PlainExit::ok);
  }

  int disk_usage() {
    if (!session_) return exit_number(PlainExit::failed);
    struct Sum {
      std::int64_t entries = 0;
      std::uint64_t bytes = 0;
    };
    std::map<std::string_view, Sum> sums;
    Sum total;
    for (const cache::Entry& entry : cache::list(store()))
      for (Sum* const sum : {&sums[cache::name_of(entry.bucket)], &total}) {
        ++sum->entries;
        sum->bytes += entry.bytes;
      }
    const auto to_map = [](const Sum& sum) {
      return schema::Map{
          {"entries", sum.entries}, {"bytes", static_cast<std::int64_t>(sum.bytes)}, {"size", size_text(sum.bytes)}};
    };
    schema::Map buckets;
    for (const auto& [name, sum] : sums) buckets.set(name, to_map(sum));
    const schema::Map all{{"path", store().path().string()}, {"buckets", std::move(buckets)}, {"total", to_map(total)}};
    write_out(data_document(all, common_.output));
    return exit_number(PlainExit::ok);
  }

  // What is damaged is not used again.
  int verify() {
    if (!session_) return exit_number(CheckExit::could_not_look);
    try {
      return look_for_damage();
    } catch (const Error& error) {
      talk_.error(error);
      return exit_number(CheckExit::could_not_look);
    }
  }

  int prune(const PruneArguments& arguments) {
    if (!session_) return exit_number(PlainExit::failed);
    cache::PruneOptions options;
    options.dry_run = arguments.dry_run;
    if (arguments.max_size) options.max_bytes = parse_size(*arguments.max_size, "--max-size");
    if (arguments.max_age)
      options.max_age =
          std::chrono::duration_cast<std::chrono::seconds>(parse_duration(*arguments.max_age, "--max-age"));
    if (!arguments.dry_run) {
      cache::PruneOptions look = options;
      look.dry_run = true;
      const cache::PruneReport report =
          governed() ? cache::prune(store(), look, session_->cancel_token()) : cache::PruneReport();
      ask_policies(session_->runtime(), "engine.prune_cache", what_goes(report.removed));
    }
    return tell_removed(cache::prune(store(), options, session_->cancel_token()), arguments.dry_run);
  }

  int clear() {
    if (!session_) return exit_number(PlainExit::failed);
    if (governed()) ask_policies(session_->runtime(), "engine.remove_plugin", what_goes(cache::list(store())));
    return tell_removed(cache::clear(store(), session_->cancel_token()), false);
  }

  int pull(const std::vector<std::string>& references) {
    if (!session_) return exit_number(PlainExit::failed);
    int exit = exit_number(PlainExit::ok);
    for (const std::string& reference : references) {
      try {
        session_->runtime().wait_for(pull_one(reference));
      } catch (const Error& error) {
        talk_.error(error);
        if (error.code() == ErrorCode::usage) return usage_exit;
        exit = exit_number(PlainExit::failed);
      }
    }
    return exit;
  }

 private:
  bool governed() { return session_->runtime().governor() != nullptr; }

  // As policies are told.
  static schema::Map what_goes(const std::vector<cache::Entry>& entries) {
    schema::List names;
    std::int64_t bytes = 0;
    for (const cache::Entry& entry : entries) {
      if (entry.in_use) continue;
      const auto reference = entry.details.find("reference");
      const bool known = reference != entry.details.end() && reference->is_string();
      names.emplace_back(known ? reference->get<std::string>() : entry.name);
      bytes += static_cast<std::int64_t>(entry.bytes);
    }
    return schema::Map({{"entries", std::move(names)}, {"bytes", bytes}});
  }

  cache::Store store() {
    const auto open = [](api::Runtime& runtime) -> asio::awaitable<std::shared_ptr<cache::Store>> {
      co_return std::make_shared<cache::Store>(runtime.store());
    };
    return *session_->runtime().wait_for(open(session_->runtime()));
  }

  int look_for_damage() {
    schema::List damaged;
    const cache::Store open = store();
    for (const cache::Damage& damage : cache::verify(open, cache::OnDamageFound::retire, session_->cancel_token()))
      damaged.push_back(tell_damage(damage.entry, damage.paths));
    for (const cache::Entry& entry : cache::list(open)) {
      if (entry.bucket != cache::Bucket::git || entry.state == cache::Entry::State::rubbish) continue;
      const auto objects = source::damaged_objects(entry.path, session_->cancel_token());
      if (objects.empty()) continue;
      damaged.push_back(tell_damage(entry, objects));
      cache::remove(open, entry);
    }
    const bool clean = damaged.empty();
    write_out(data_document(schema::Map{{"damaged", std::move(damaged)}}, common_.output));
    return exit_number(clean ? CheckExit::clean : CheckExit::findings);
  }

  schema::Map tell_damage(const cache::Entry& entry, const std::vector<std::string>& places) {
    const std::size_t shown = std::min<std::size_t>(places.size(), 3);
    talk_.issue({Severity::error,
                 {},
                 fmt::format("{} is damaged: {}{}", title_of(entry),
                             fmt::join(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                             places.size() > shown ? fmt::format(" and {} more", places.size() - shown) : ""),
                 "it will not be used again; the next run makes it anew"});
    schema::Map map = to_map(entry);
    map.insert("damaged", schema::List(places.begin(), places.end()));
    return map;
  }

  int tell_removed(const cache::PruneReport& report, bool dry_run) {
    schema::List removed, in_use;
    for (const cache::Entry& entry : report.removed) {
      talk_.line(
          fmt::format("{} {}, {}\n", dry_run ? "would remove" : "removed", title_of(entry), size_text(entry.bytes)));
      removed.push_back(to_map(entry));
    }
    for (const cache::Entry& entry : report.in_use) {
      talk_.line(fmt::format("in use: {}\n", title_of(entry)));
      in_use.push_back(to_map(entry));
    }
    const schema::Map all{{"removed", std::move(removed)},
                          {"in_use", std::move(in_use)},
                          {"bytes_freed", static_cast<std::int64_t>(report.bytes_freed)},
                          {"bytes_left", static_cast<std::int64_t>(report.bytes_left)}};
    write_out(data_document(all, common_.output));
    return exit_number(PlainExit::ok);
  }

  asio::awaitable<void> pull_one(std::string reference) {
    report::PlainProgress progress([this](std::string_view text) { talk_.line(text); }, system_clock());
    deployer::PrepareContext context{talk_.logger(), &progress, session_->cancel_token()};
    co_await session_->runtime().python().pull(std::move(reference), std::move(context));
  }

  ContextFiles files_;
  Talk talk_;
  const CommonOptions& common_;
  std::unique_ptr<Session> session_;
};

}  // namespace

void add_cache_command(CLI::App& app, CommonOptions& common, Action& action) {
  CLI::App* cache = app.add_subcommand("cache", "The store of mirrors, wheels and environments");
  cache->require_subcommand(1);
  cache->footer("Example: venvoy cache ls");

  CLI::App* dir = cache->add_subcommand("dir", "Print the folder of the store");
  dir->footer("Example: venvoy cache dir --workdir /var/tmp");
  dir->callback([&common, &action] { action = [&common] { return CacheCommand(common).print_directory(); }; });

  CLI::App* ls = cache->add_subcommand("ls", "List what the store holds");
  ls->footer("Example: venvoy cache ls --output json");
  ls->callback([&common, &action] { action = [&common] { return CacheCommand(common).list(); }; });

  CLI::App* show = cache->add_subcommand("show", "Everything about an entry: manifest, the inputs of its key, users");
  const auto key = std::make_shared<std::string>();
  const auto sbom = std::make_shared<bool>(false);
  show->add_option("KEY", *key, "A name that `cache ls` shows, its first digits, or a reference")->required();
  show->add_flag("--sbom", *sbom, "The packages of an environment, as CycloneDX");
  show->footer("Example: venvoy cache show 3f2a --sbom");
  show->callback([&common, &action, key, sbom] {
    action = [&common, key, sbom] { return CacheCommand(common).show(*key, *sbom); };
  });

  CLI::App* du = cache->add_subcommand("du", "How large the store is");
  du->footer("Example: venvoy cache du");
  du->callback([&common, &action] { action = [&common] { return CacheCommand(common).disk_usage(); }; });

  CLI::App* verify = cache->add_subcommand("verify", "Read every byte again; what is damaged is not used any more");
  verify->footer("Example: venvoy cache verify");
  verify->callback([&common, &action] { action = [&common] { return CacheCommand(common).verify(); }; });

  CLI::App* prune = cache->add_subcommand("prune", "Remove rubbish, and what is old or too much; nothing in use");
  const auto limits = std::make_shared<PruneArguments>();
  prune->add_option("--max-size", limits->max_size, "Least recently used first, until the store is not larger: 20GB");
  prune->add_option("--max-age", limits->max_age, "What was not used for longer: 60d");
  prune->add_flag("--dry-run", limits->dry_run, "Say what would be removed");
  prune->footer("Example: venvoy cache prune --max-age 30d --max-size 10GB");
  prune->callback(
      [&common, &action, limits] { action = [&common, limits] { return CacheCommand(common).prune(*limits); }; });

  CLI::App* clear = cache->add_subcommand("clear", "Remove everything that is not in use");
  clear->footer("Example: venvoy cache clear");
  clear->callback([&common, &action] { action = [&common] { return CacheCommand(common).clear(); }; });

  CLI::App* pull = cache->add_subcommand("pull", "Look at the repositories anew and make the environments anew");
  const auto references = std::make_shared<std::vector<std::string>>();
  pull->add_option("REF", *references, "Plugins: NAME@git+URL[@VERSION] or NAME==VERSION")->required();
  pull->footer("Example: venvoy cache pull my-plugin@git+https://example.org/my-plugin.git@main");
  pull->callback([&common, &action, references] {
    action = [&common, references] { return CacheCommand(common).pull(*references); };
  });
}

}  // namespace venvoy::cli
