#include "source/internal/smart_remote.hpp"

#include <utility>

#include <fmt/format.h>

namespace venvoy::source {
namespace {

Remote make_detached_remote(git_repository* repository, const std::string& url) {
  git_remote_create_options options = GIT_REMOTE_CREATE_OPTIONS_INIT;
  options.repository = repository;
  options.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
  return take_or_throw<Remote>("cannot prepare a fetch", [&](git_remote** out) {
    return git_remote_create_with_opts(out, url.c_str(), &options);
  });
}

std::string default_branch(git_remote* remote) {
  git_buf name = GIT_BUF_INIT;
  const int result = git_remote_default_branch(&name, remote);
  std::string text = result == 0 ? std::string(name.ptr, name.size) : std::string();
  git_buf_dispose(&name);
  return text;
}

}  // namespace

SmartRemote::SmartRemote(RemoteSettings settings, std::unique_ptr<SubTransport> transport)
    : settings_(std::move(settings)),
      shown_url_(settings_.url.shown()),
      transport_(std::move(transport)),
      bridge_(*transport_),
      remote_(make_detached_remote(settings_.target, settings_.url.without_login())) {}

int SmartRemote::on_transport(git_transport** out, git_remote* owner, void* self) noexcept {
  return TransportBridge::make_transport(out, owner, static_cast<SmartRemote*>(self)->bridge_);
}

int SmartRemote::on_progress(const git_indexer_progress* progress, void* self) noexcept {
  SmartRemote& remote = *static_cast<SmartRemote*>(self);
  try {
    remote.received_ = remote.received_ || progress->total_objects > 0;
    remote.settings_.cancel.check();
    if (remote.settings_.progress)
      remote.settings_.progress(
          {progress->received_objects, progress->total_objects, progress->indexed_objects, progress->received_bytes});
    return 0;
  } catch (...) {
    remote.failure_ = std::current_exception();
    return GIT_EUSER;
  }
}

git_remote_callbacks SmartRemote::callbacks() noexcept {
  git_remote_callbacks callbacks = GIT_REMOTE_CALLBACKS_INIT;
  callbacks.transport = on_transport;
  callbacks.transfer_progress = on_progress;
  callbacks.payload = this;
  return callbacks;
}

// The best sentence for what went wrong: ours, else the server's, else libgit2's.
void SmartRemote::fail(bool objects) const {
  const std::string said = last_git_message();
  bridge_.rethrow();
  if (failure_) std::rethrow_exception(failure_);
  settings_.cancel.check();
  const std::string server = bridge_.server_error();
  std::string reason = !server.empty() ? fmt::format("the server says: {}", server)
                       : objects       ? fmt::format("what the server sent is cut off or damaged ({})", said)
                                       : fmt::format("the server does not speak git's protocol ({})", said);
  throw Error(ErrorCode::network, fmt::format("cannot fetch {}: {}", shown_url_, reason));
}

void SmartRemote::open_connection() {
  git_remote_connect_options options = GIT_REMOTE_CONNECT_OPTIONS_INIT;
  options.callbacks = callbacks();
  if (git_remote_connect_ext(remote_.get(), GIT_DIRECTION_FETCH, &options) < 0) fail(false);
}

Advertisement SmartRemote::connect() {
  open_connection();
  const git_remote_head** heads = nullptr;
  std::size_t count = 0;
  if (git_remote_ls(&heads, &count, remote_.get()) < 0) fail(false);
  Advertisement result;
  for (std::size_t index = 0; index < count; ++index) {
    if (std::string_view(heads[index]->name) == "HEAD")
      result.head = heads[index]->oid;
    else
      result.refs.push_back({heads[index]->name, heads[index]->oid});
  }
  if (result.head) result.default_branch = default_branch(remote_.get());
  return result;
}

bool SmartRemote::download(const Wanted& wanted) {
  std::vector<std::string> specs;
  for (const std::string& pattern : wanted.patterns) specs.push_back(fmt::format("+{0}:{0}", pattern));
  if (wanted.commit) specs.push_back(wanted.commit->text());
  std::vector<char*> raw;
  for (std::string& spec : specs) raw.push_back(spec.data());
  const git_strarray array = {raw.data(), raw.size()};

  if (std::exchange(used_, true) && !transport_->stateless()) {
    git_remote_disconnect(remote_.get());
    open_connection();
  }
  git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
  options.callbacks = callbacks();
  options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
  received_ = false;
  const int result = git_remote_download(remote_.get(), &array, &options);
  if (result == 0) return true;
  const bool refused = wanted.commit && !received_ && !failure_;
  if (!refused) fail(true);
  bridge_.rethrow();
  settings_.cancel.check();
  return false;
}

}  // namespace venvoy::source
