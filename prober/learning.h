// What a recipient accepted in a client's session teaches (design.md section 3, The directory). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/ipc/messages.h"
#include "common/storage/directory.h"

namespace holdfast::prober {

inline constexpr std::int64_t kRefreshMs = 3600'000;  // a row is written at most this often

// What is known around the recipient at the time.
struct Surroundings {
  std::string_view destination;  // where its domain goes now
  storage::CatchAll catch_all = storage::CatchAll::kUnknown;
  bool local = false;            // configured as a local recipient
  std::int64_t downtime_ms = 0;  // of the destination
  std::int64_t now_ms = 0;
};

struct Lesson {
  std::optional<storage::RecipientRow> write;  // the row as it is to be, if it changes
  bool covered = false;                        // its mail would be kept if the server died now
};

Lesson learn(const ipc::LearntRecipient& what, const std::optional<storage::RecipientRow>& row,
             const Surroundings& around);

// Adds to today's counters; drops days that are over a week old.
void count_coverage(storage::DomainRow& row, std::int64_t now_ms, std::uint64_t accepted, std::uint64_t covered);

}  // namespace holdfast::prober
