// The control file of the fault-injecting preload: a test writes it, every process of the gateway maps it. What
// is written counts from the next call on, so nobody has to wait. tests/support/faults.py writes the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace holdfast::faults {

enum Operation : std::uint32_t {
  kWrite = 1U << 0,      // write, pwrite, writev, pwritev
  kFsync = 1U << 1,
  kFdatasync = 1U << 2,
  kCreate = 1U << 3,     // open that may make a file
  kOpen = 1U << 4,       // any open
  kRename = 1U << 5,     // matched by the old path or the new one
  kUnlink = 1U << 6,
  kTruncate = 1U << 7,
  kAllocate = 1U << 8,   // fallocate, posix_fallocate
  kMsync = 1U << 9,      // matched whatever the path
  kMkdir = 1U << 10,
  kRead = 1U << 11,      // read, pread
  kStatvfs = 1U << 12,   // never fails: `value` are the free bytes, `inodes` the free inodes
};

inline constexpr std::size_t kRules = 16;
inline constexpr std::int32_t kLie = -1;  // of kFsync, kFdatasync and kUnlink
inline constexpr std::uint64_t kForever = ~0ULL;

struct Rule {
  std::uint32_t active;      // atomic; set last, cleared first
  std::uint32_t operations;  // of Operation
  std::int32_t error;        // errno of the failure; 0: the call is done; kLie: it is not, and says it was
  std::uint32_t hold;        // atomic: the call does not begin while this is set
  std::uint64_t delay_us;    // and begins so much later
  std::uint64_t part;        // writes: so many bytes are written and reported; 0: all
  std::uint64_t skip;        // atomic: so many calls pass first
  std::uint64_t times;       // atomic: and so many are hit
  std::uint64_t hits;        // atomic: those that were
  std::uint64_t waiting;     // atomic: calls held now
  std::uint64_t value;
  std::uint64_t inodes;
  char program[32];          // only this one, as its file is called; empty: all
  char path[400];            // the absolute path begins so
};
static_assert(sizeof(Rule) == 512);

}  // namespace holdfast::faults
