// A repository on this machine (file://), read with libgit2 directly.
#pragma once

#include "source/internal/git_handles.hpp"
#include "source/internal/remote_repository.hpp"

namespace venvoy::source {

// libgit2's own local transport refuses repositories of other users unless a switch for the whole process is turned,
// and sends everything whatever is asked for. Here the repository is opened without its configuration, so nothing that
// its owner wrote there has an effect, and then its owner does not matter: only references and objects are read.
class LocalRemote : public RemoteRepository {
 public:
  explicit LocalRemote(RemoteSettings settings);
  Advertisement connect() override;
  bool download(const Wanted& wanted) override;

 private:
  void advertise(const git_reference* reference);
  void add_wanted(git_packbuilder* builder, git_revwalk* walk, const git_oid& id);
  void hide_what_is_there(git_revwalk* walk);
  void write_pack(git_packbuilder* builder);
  void check(int result) const;
  static int on_build(int stage, std::uint32_t current, std::uint32_t total, void* self) noexcept;
  static int on_progress(const git_indexer_progress* progress, void* self) noexcept;

  RemoteSettings settings_;
  std::string shown_url_;
  Repository repository_;
  Advertisement advertisement_;
};

}  // namespace venvoy::source
