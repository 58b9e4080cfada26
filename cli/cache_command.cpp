// venvoy cache dir|ls|pull
#include <memory>
#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "base/exit_code.hpp"
#include "cache/collect.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"
#include "report/plain_progress.hpp"

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

schema::Value to_value(const cache::Entry& entry) {
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
  return map;
}

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
      if (entry.bucket == cache::Bucket::env || entry.bucket == cache::Bucket::wheel ||
          entry.bucket == cache::Bucket::git)
        entries.push_back(to_value(entry));
    write_out(data_document(std::move(entries), common_.output));
    return exit_number(PlainExit::ok);
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
  cache::Store store() {
    const auto open = [](api::Runtime& runtime) -> asio::awaitable<std::shared_ptr<cache::Store>> {
      co_return std::make_shared<cache::Store>(runtime.store());
    };
    return *session_->runtime().wait_for(open(session_->runtime()));
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

  CLI::App* pull = cache->add_subcommand("pull", "Look at the repositories anew and make the environments anew");
  const auto references = std::make_shared<std::vector<std::string>>();
  pull->add_option("REF", *references, "Plugins: NAME@git+URL[@VERSION] or NAME==VERSION")->required();
  pull->footer("Example: venvoy cache pull my-plugin@git+https://example.org/my-plugin.git@main");
  pull->callback([&common, &action, references] {
    action = [&common, references] { return CacheCommand(common).pull(*references); };
  });
}

}  // namespace venvoy::cli
