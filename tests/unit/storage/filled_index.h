// An index with a bit of everything in it, for the tests of what verifies and mends it.
#pragma once

#include <fmt/format.h>

#include "common/storage/queue_index.h"
#include "tests/unit/storage/support.h"

namespace holdfast::storage::test {

inline MessageRow some_row(std::uint64_t n) {
  MessageRow row;
  row.record = {.writer = 1, .segment = static_cast<std::uint32_t>(1 + n % 3), .offset = kBlock * (n + 1), .length = 700 + n};
  row.size = 500 + n;
  row.sender = n % 7 == 0 ? "" : fmt::format("sender{}@client.test", n);
  row.destination = n % 2 == 0 ? "office" : "backup";
  row.arrival_ms = 1'700'000'000'000 + static_cast<std::int64_t>(n) * 1000;
  row.state = n % 5 == 0 ? MessageState::kHeld : n % 7 == 0 ? MessageState::kFrozen : MessageState::kDeferred;
  row.reason = "451 4.3.0 try again later";
  row.due_ms = row.arrival_ms + 900'000;
  row.open = 2;
  row.domains = n % 3 == 0 ? std::vector<std::string>{"a.test", "b.test"} : std::vector<std::string>{"a.test"};
  row.expires_ms = row.arrival_ms + 4 * 86'400'000LL;
  row.discard_ms = row.expires_ms + 1;
  return row;
}

inline std::vector<RecipientState> some_recipients(std::uint64_t n) {
  const auto one = [&](int i, RecipientStatus status) {
    return RecipientState{.address = fmt::format("user{}.{}@a.test", n, i), .known = true, .status = status, .reply = "x", .dsn = "4.0.0"};
  };
  return {one(0, RecipientStatus::kOpen), one(1, RecipientStatus::kSent), one(2, RecipientStatus::kRefused)};
}

// Messages FIRST … LAST, some in a transaction, so that LMDB's list of free pages is not empty.
inline void fill(QueueIndex& index, std::uint64_t first, std::uint64_t last) {
  base::Result<std::unique_ptr<WriteTxn>> txn;
  for (std::uint64_t n = first; n <= last; ++n) {
    if (!*txn) txn = WriteTxn::begin(index.env());
    base::expect(txn.has_value(), "begin");
    const mail::QueueId id{n * 1000};
    base::expect(index.add(**txn, id, some_row(n), some_recipients(n)).has_value(), "add");
    if (n % 4 == 0) base::expect(index.put_owed(**txn, id).has_value(), "owed");
    auto segment = *index.segment(**txn, {1, static_cast<std::uint32_t>(1 + n % 3)});
    segment.indexed_upto = std::max(segment.indexed_upto, kBlock * (n + 2));
    base::expect(index.put_segment(**txn, {1, static_cast<std::uint32_t>(1 + n % 3)}, segment).has_value(), "segment");
    if (n % 16 != 0 && n != last) continue;
    base::expect((*txn)->commit().has_value(), "commit");
    *txn = nullptr;
  }
}

}  // namespace holdfast::storage::test
