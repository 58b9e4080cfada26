// The other side of a fetch, however it is reached.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <git2.h>

#include "base/cancel.hpp"
#include "source/commit_id.hpp"
#include "source/git_url.hpp"
#include "source/transport.hpp"

namespace venvoy::source {

struct RemoteRef {
  std::string name;  // "refs/tags/v1^{}" is what the annotated tag v1 points to
  git_oid id;
};

struct Advertisement {
  std::vector<RemoteRef> refs;  // without HEAD
  std::optional<git_oid> head;  // nothing for an empty repository
  std::string default_branch;   // full name; empty if HEAD is no branch
};

// Objects to fetch, with all that they lead to.
struct Wanted {
  std::vector<std::string> patterns;  // "refs/heads/*" or full names
  std::optional<CommitId> commit;
};

// Used on one thread. All functions throw Errors and end soon after the token is cancelled.
class RemoteRepository {
 public:
  virtual ~RemoteRepository() = default;
  virtual Advertisement connect() = 0;
  // False: the commit is not given by its id, and nothing came. Can be called again after that, and after a success.
  [[nodiscard]] virtual bool download(const Wanted& wanted) = 0;
};

struct RemoteSettings {
  git_repository* target = nullptr;  // where objects go
  std::string objects_directory;     // of the target
  GitUrl url;
  const Transport* transport = nullptr;
  CancelToken cancel;
  FetchProgressSink progress;
};

std::unique_ptr<RemoteRepository> make_remote(RemoteSettings settings);

}  // namespace venvoy::source
