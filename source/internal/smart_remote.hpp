// A repository behind a server that speaks git's protocol.
#pragma once

#include "source/internal/git_handles.hpp"
#include "source/internal/remote_repository.hpp"
#include "source/internal/sub_transport.hpp"

namespace venvoy::source {

// libgit2 1.5 asks for a commit by its id only if the server says that it allows this (`allow-tip-sha1-in-want`,
// `allow-reachable-sha1-in-want`; a stock `git http-backend` does not), and fails before it sends anything otherwise. A
// server that allows it and does not have the commit answers with an error packet.
class SmartRemote : public RemoteRepository {
 public:
  SmartRemote(RemoteSettings settings, std::unique_ptr<SubTransport> transport);
  Advertisement connect() override;
  bool download(const Wanted& wanted) override;

 private:
  static int on_transport(git_transport** out, git_remote* owner, void* self) noexcept;
  static int on_progress(const git_indexer_progress* progress, void* self) noexcept;
  git_remote_callbacks callbacks() noexcept;
  void open_connection();
  [[noreturn]] void fail(bool objects) const;

  RemoteSettings settings_;
  std::string shown_url_;
  std::unique_ptr<SubTransport> transport_;
  TransportBridge bridge_;
  Remote remote_;
  bool used_ = false;      // a download was tried on this connection
  bool received_ = false;  // some of a pack
  std::exception_ptr failure_;
};

}  // namespace venvoy::source
