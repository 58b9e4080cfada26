// Using what the store holds, and making what it does not hold yet.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace venvoy::cache {

struct Manifest;

namespace internal {
struct HeldLease;
struct HeldBuilding;
struct HeldStaging;
}  // namespace internal

// The right to use a directory of the store: while it lives, nobody removes the directory. It was whole when the lease
// was taken: every file there, with its size. A lease keeps its Store open. Movable; used by one thread at a time.
class Lease {
 public:
  explicit Lease(std::unique_ptr<internal::HeldLease> held) noexcept;
  Lease(Lease&&) noexcept;
  Lease& operator=(Lease&&) noexcept;
  ~Lease();

  // Absolute. Never renamed while the lease lives.
  const std::filesystem::path& path() const noexcept;
  // 64 hexadecimal digits.
  const std::string& key() const noexcept;
  // Of an environment: counts up from 1. 0 for wheels and tools, which have none.
  unsigned generation() const noexcept;
  // What its maker wrote down; see Manifest.
  const nlohmann::json& details() const noexcept;

  // What the destructor does: notes the time of this use, lets go, and if the directory has been superseded, or has
  // lost a file, and nobody else uses it, removes it. That takes a while: not on an event loop.
  void release() noexcept;

 private:
  std::unique_ptr<internal::HeldLease> held_;
};

// The exclusive right to fill a new generation of an environment. Others who want the key wait until this object goes.
// Do not ask for another key meanwhile: two who do so in different orders would wait for ever.
class Building {
 public:
  explicit Building(std::unique_ptr<internal::HeldBuilding> held) noexcept;
  Building(Building&&) noexcept;
  Building& operator=(Building&&) noexcept;
  // Without publish() it removes the directory.
  ~Building();

  // An empty directory but for a file `lease`, at its final place. The names `lease`, `ready.json` and `hashes.json` in
  // it belong to the store.
  const std::filesystem::path& path() const noexcept;
  unsigned generation() const noexcept;

  // Lists and hashes the files, flushes them to disk and only then writes ready.json; removes older generations that
  // nobody uses. Blocks. Call it once. Throws an Error, and the environment does not come to be: (io), (cancelled), or
  // (environment) when somebody has removed the directory meanwhile.
  [[nodiscard]] Lease publish(const Manifest& manifest);

 private:
  std::unique_ptr<internal::HeldBuilding> held_;
};

// A directory that is filled aside and then appears under its key, whole or not at all: for what may be renamed.
class Staging {
 public:
  explicit Staging(std::unique_ptr<internal::HeldStaging> held) noexcept;
  Staging(Staging&&) noexcept;
  Staging& operator=(Staging&&) noexcept;
  // Without publish() it removes the directory.
  ~Staging();

  // Empty but for a file `lease`; the same names as above belong to the store.
  const std::filesystem::path& path() const noexcept;

  // The lease is of what is there afterwards: ours, or that of somebody who was faster; ours is then discarded. Blocks.
  // Call it once. Throws as Building::publish does.
  [[nodiscard]] Lease publish(const Manifest& manifest);

 private:
  std::unique_ptr<internal::HeldStaging> held_;
};

}  // namespace venvoy::cache
