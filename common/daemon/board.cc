#include "common/daemon/board.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/panic.h"
#include "common/base/text.h"

namespace holdfast::daemon {
namespace {

struct Head {
  base::HashKey key;
  Gauges gauges[Board::kMaxWorkers];
};

constexpr std::size_t kHeadBytes = 64 << 10;
static_assert(sizeof(Head) <= kHeadBytes);
static_assert(Board::kPartBytes % kHeadBytes == 0, "parts begin on pages of any size");

Head& head(std::byte* memory) { return *std::launder(reinterpret_cast<Head*>(memory)); }

void choose_key(std::byte* memory) { head(memory).key = {base::random_number(), base::random_number()}; }

}  // namespace

void Board::Unmap::operator()(std::byte* memory) const { ::munmap(memory, bytes); }

base::Result<base::UniqueFd> Board::make() {
  base::UniqueFd fd(::memfd_create("holdfast-smtpd", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return base::fail_errno("memfd_create", errno);
  if (::ftruncate(fd.get(), kHeadBytes + kMaxWorkers * kPartBytes) != 0) {
    return base::fail_errno("ftruncate of the workers' memory", errno);
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return base::fail_errno("sealing the workers' memory", errno);
  }
  auto board = open(fd.get(), 0);
  if (!board) return std::unexpected(board.error());
  choose_key(board->memory_.get());
  return fd;
}

base::Result<Board> Board::map(int fd, int flags, std::uint32_t workers) {
  workers = std::min(workers, kMaxWorkers);
  const std::size_t bytes = kHeadBytes + workers * kPartBytes;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (memory == MAP_FAILED) return base::fail_errno("mapping the workers' memory", errno);
  return Board(static_cast<std::byte*>(memory), bytes, workers);
}

base::Result<Board> Board::open(int fd, std::uint32_t workers) { return map(fd, MAP_SHARED, workers); }

Board Board::alone(std::uint32_t workers) {
  auto out = map(-1, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, workers);
  base::expect(out.has_value(), "no memory for the workers' board");
  choose_key(out->memory_.get());
  return std::move(*out);
}

const base::HashKey& Board::key() const { return head(memory_.get()).key; }

Gauges& Board::gauges(std::uint32_t worker) const {
  base::expect(worker < kMaxWorkers, "a worker that the board has no gauges for");
  return head(memory_.get()).gauges[worker];
}

Gauges Board::sum(std::uint32_t workers) const {
  Gauges out;
  for (std::uint32_t worker = 0; worker < std::min(workers, kMaxWorkers); ++worker) {
    Gauges& its = gauges(worker);
    out.clients += seen(its.clients);
    out.stressed += seen(its.stressed);
    out.refused_connections += seen(its.refused_connections);
    out.refused_messages += seen(its.refused_messages);
    out.refused_recipients += seen(its.refused_recipients);
    out.refused_kept += seen(its.refused_kept);
    out.early_talkers += seen(its.early_talkers);
  }
  return out;
}

std::span<std::byte> Board::part(std::uint32_t worker) const {
  base::expect(worker < workers_, "a worker whose part of the board is not mapped");
  return {memory_.get() + kHeadBytes + worker * kPartBytes, kPartBytes};
}

// The pages are given back: they are zero when they are touched again. The second is for private memory.
void Board::clear(std::uint32_t worker) const {
  gauges(worker) = {};
  const auto all = part(worker);
  if (::madvise(all.data(), all.size(), MADV_REMOVE) == 0) return;
  if (::madvise(all.data(), all.size(), MADV_DONTNEED) != 0) std::memset(all.data(), 0, all.size());
}

}  // namespace holdfast::daemon
