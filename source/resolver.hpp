// From a reference to a commit that lies in a mirror.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/cancel.hpp"
#include "base/log.hpp"
#include "os/file_lock.hpp"
#include "os/keeper.hpp"
#include "source/commit_id.hpp"
#include "source/git_mirror.hpp"
#include "source/git_url.hpp"
#include "source/module_ref.hpp"
#include "source/transport.hpp"

namespace venvoy::source {

struct GitSourceOptions {
  // One bare mirror for each URL, `<SHA-256 of the normalised URL that is fetched>.git` (design D4), and two lock files
  // for each mirror: `<SHA-256>.lock` for who fetches into it, and `git-<SHA-256>.git`, shared, for who needs it to
  // stay (see cache::Store::lock_file). Both directories must exist.
  std::filesystem::path mirrors;
  std::filesystem::path locks;
  TransportOptions transport;
  std::vector<UrlRewrite> rewrites;
  bool credential_helpers = true;  // ask `git credential` for logins, if there is a git
  Logger log;
};

struct ResolveOptions {
  bool allow_network = true;
  // What a branch, a tag, the default branch or an abbreviation means is asked of the server, not of the mirror. When
  // that is due the caller knows (design D4, `refs-v1`); a full commit id never needs it.
  bool refresh = false;
  CancelToken cancel;
  FetchProgressSink progress;  // called on a pool thread; not if somebody else's fetch is shared
};

struct ResolvedGit {
  std::string url;          // as written; keys are made of this one (normalised_url)
  std::string fetched_url;  // after rewrites; may hold a login
  std::string subdirectory;
  CommitId commit;
  VersionKind kind;
  std::string reference;  // full name of the branch or tag; empty for commits
  CommitInfo info;
  GitMirror mirror;
  bool contacted = false;  // a server was asked
  // As long as one of these lives, `cache prune` does not remove the mirror.
  std::shared_ptr<const os::FileLock> in_use = {};
};

// Resolves references to git repositories. All calls on the executor's thread, which must be the Keeper's. What blocks
// runs on the pool: join the pool before the Keeper, or the executor's context, goes, and not on the executor's thread
// while calls are under way (a login may have to be asked of a program, which is done there).
class GitSource {
 public:
  GitSource(const boost::asio::any_io_executor& executor, boost::asio::thread_pool& pool, os::Keeper& keeper,
            GitSourceOptions options);

  // Throws an Error: reference (a wrong URL), unresolvable, network, authentication, cancelled, limit, io. A commit id
  // of 40 digits that lies in the mirror is found without the network. Calls for one URL that are under way together
  // share one fetch, and its failure. An abbreviated id is warned about in the log.
  boost::asio::awaitable<ResolvedGit> resolve(GitRef ref, ResolveOptions options);

  // GitMirror::export_work_tree with all submodules, which are resolved and fetched as references are.
  boost::asio::awaitable<void> export_work_tree(ResolvedGit resolved, std::filesystem::path target,
                                                ResolveOptions options);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace venvoy::source
