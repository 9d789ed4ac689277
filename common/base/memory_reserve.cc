#include "common/base/memory_reserve.h"

#include <atomic>
#include <cstdlib>
#include <new>

#include <sys/mman.h>

#include "common/base/error.h"
#include "common/base/log.h"

namespace holdfast::base {
namespace {

// For the log line of a process that ends.
constexpr std::size_t kLastWords = 1 << 20;

std::atomic<void*> g_reserve{nullptr}, g_last_words{nullptr};
std::size_t g_bytes = 0;

void* map(std::size_t bytes) {
  void* const at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return at == MAP_FAILED ? nullptr : at;
}

// Whoever takes the block gives it back; two threads may fail at once.
bool give_back(std::atomic<void*>& block, std::size_t bytes) {
  void* const at = block.exchange(nullptr);
  if (at != nullptr) ::munmap(at, bytes);
  return at != nullptr;
}

void on_failed_allocation() {
  if (give_back(g_reserve, g_bytes)) return;
  if (give_back(g_last_words, kLastWords)) log().error("out of memory: ending");
  std::_Exit(exit_code(Kind::kTemporary));
}

template <class Try>
void* until_had(Try once) {
  while (true) {
    void* const block = once();
    if (block != nullptr) return block;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) return nullptr;
    handler();
  }
}

}  // namespace

void keep_memory_reserve(std::size_t bytes) {
  g_bytes = bytes;
  g_reserve = map(bytes);
  g_last_words = map(kLastWords);
  std::set_new_handler(&on_failed_allocation);
}

bool short_of_memory() { return g_bytes > 0 && g_reserve.load(std::memory_order_relaxed) == nullptr; }

bool regain_memory_reserve() {
  if (g_reserve.load() == nullptr) g_reserve = map(g_bytes);
  return g_reserve.load() != nullptr;
}

void* allocate(std::size_t bytes) {
  return until_had([bytes] { return std::malloc(bytes > 0 ? bytes : 1); });
}

void* reallocate(void* block, std::size_t bytes) {
  return until_had([block, bytes] { return std::realloc(block, bytes > 0 ? bytes : 1); });
}

}  // namespace holdfast::base
