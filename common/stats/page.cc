#include "common/stats/page.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/siphash.h"
#include "common/stats/families.h"

namespace holdfast::stats {

struct Page::Layout {
  std::uint64_t layout;
  Numbers numbers;
  DestinationTable destinations;
};

namespace {

// No smaller than any machine's page.
constexpr std::size_t kBytes = 64 << 10;

}  // namespace

Tally& Tally::operator+=(const Tally& other) {
  Numbers::operator+=(other);
  add(destinations, other.destinations);
  return *this;
}

std::uint64_t layout_number() {
  base::SipHash hash({0x686f6c6466617374, kCounters * 1000 + kHistograms * 100 + kBuckets});
  for (std::size_t i = 0; i < kCounters; ++i) {
    hash.update(series_of(static_cast<Counter>(i)));
    hash.update("\n");
  }
  for (std::size_t i = 0; i < kHistograms; ++i) {
    hash.update(series_of(static_cast<Histogram>(i)));
    hash.update("\n");
  }
  hash.update(std::to_string(sizeof(DestinationTable)));
  return hash.finish();
}

void Page::Unmap::operator()(Layout* memory) const { ::munmap(memory, kBytes); }

base::Result<base::UniqueFd> Page::make() {
  static_assert(sizeof(Layout) <= kBytes);
  base::UniqueFd fd(::memfd_create("holdfast-stats", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return base::fail_errno("memfd_create", errno);
  if (::ftruncate(fd.get(), kBytes) != 0) return base::fail_errno("ftruncate of a page of counters", errno);
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return base::fail_errno("sealing a page of counters", errno);
  }
  return fd;
}

base::Result<Page> Page::open(int fd) {
  void* memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return base::fail_errno("mapping a page of counters", errno);
  return Page(static_cast<Layout*>(memory));
}

void Page::use() const {
  clear();
  std::atomic_ref<std::uint64_t>(memory_->layout).store(layout_number(), std::memory_order_relaxed);
  detail::numbers = &memory_->numbers;
  detail::destinations = &memory_->destinations;
}

Tally Page::read() const {
  Tally out;
  if (detail::load(memory_->layout) != layout_number()) return out;
  const Numbers& there = memory_->numbers;
  for (std::size_t i = 0; i < kCounters; ++i) out.counters[i] = detail::load(there.counters[i]);
  for (std::size_t h = 0; h < kHistograms; ++h) out.histograms[h] = detail::load(there.histograms[h]);
  out.destinations = read_table(memory_->destinations);
  return out;
}

void Page::clear() const {
  std::memset(static_cast<void*>(memory_.get()), 0, offsetof(Layout, destinations));
  clear_table(memory_->destinations);
}

}  // namespace holdfast::stats
