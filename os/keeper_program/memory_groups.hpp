// Limits on memory that the kernel keeps: control groups (cgroup v2), where venvoy may make some.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "os/keeper_program/descriptor.hpp"

namespace venvoy::keeper {

// Groups are made in the group of this process, or beside it: where the controller `memory` is there and we may write
// (systemd: `Delegate=yes`, or a user's own session). If the engine is alone with its keeper in a group of its own,
// both move into `venvoy-engine` below it, since a group with processes may not hand out controllers.
class MemoryGroups {
 public:
  struct Group {
    std::string path;
    Descriptor processes;  // who writes "0" to it is in the group, with all that it starts
  };

  MemoryGroups(pid_t engine, pid_t guard) : engine_(engine), guard_(guard) {}
  ~MemoryGroups();

  // Nothing if there is none to be had. The first call looks where, which takes some milliseconds.
  std::optional<Group> make(std::uint64_t token, std::uint64_t bytes);
  // What was used in it, if the kernel has killed for the limit.
  std::optional<std::uint64_t> exceeded(const std::string& path) const;
  // Kills whoever is left in it. It goes now, or when it is empty.
  void remove(std::string path);
  // Holds nobody to anything any more; goes when it is empty.
  void release(std::string path);

 private:
  void look_for_place();
  bool works(const std::string& folder) const;
  bool make_room(const std::string& folder) const;

  pid_t engine_, guard_;
  bool has_looked_ = false;
  std::string place_;  // empty: there is none
  std::vector<std::string> leaving_;
};

}  // namespace venvoy::keeper
