#include "counted_memory.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> in_use = 0;
std::atomic<std::size_t> peak = 0;

// In front of every block stands its size; the block stays aligned for everything of default alignment.
constexpr std::size_t front = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

void* counted(std::size_t size) noexcept {
  void* block = std::malloc(size + front);
  if (!block) return nullptr;
  *static_cast<std::size_t*>(block) = size;
  const std::size_t now = in_use.fetch_add(size) + size;
  std::size_t before = peak.load();
  while (before < now && !peak.compare_exchange_weak(before, now)) {
  }
  return static_cast<char*>(block) + front;
}

void release(void* given) noexcept {
  if (!given) return;
  char* block = static_cast<char*>(given) - front;
  in_use -= *reinterpret_cast<std::size_t*>(block);
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* block = counted(size)) return block;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) {
  return operator new(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return counted(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return counted(size);
}
void operator delete(void* block) noexcept {
  release(block);
}
void operator delete[](void* block) noexcept {
  release(block);
}
void operator delete(void* block, std::size_t) noexcept {
  release(block);
}
void operator delete[](void* block, std::size_t) noexcept {
  release(block);
}
void operator delete(void* block, const std::nothrow_t&) noexcept {
  release(block);
}
void operator delete[](void* block, const std::nothrow_t&) noexcept {
  release(block);
}

namespace venvoy::test {

MemoryPeak::MemoryPeak() noexcept : start_(in_use.load()) {
  peak = start_;
}

std::size_t MemoryPeak::bytes() const noexcept {
  return peak.load() - start_;
}

}  // namespace venvoy::test
