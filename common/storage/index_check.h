// `gatewayctl queue check`: verifies all of the spool. LMDB has no checksums; our rows have (queue_index.h), and
// what every order and counter must hold follows from the messages' rows. Works beside a running qmgr.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/storage/queue_index.h"

namespace holdfast::storage {

struct CheckReport {
  std::uint64_t messages = 0, recipients = 0, segments = 0;
  std::uint64_t records = 0;         // whose header, envelope and content were read and are sound
  std::uint64_t faults = 0;
  std::vector<std::string> texts;    // the first 1,000 of them, a line each

  void fault(std::string text);
};

struct CheckOptions {
  bool contents = true;              // read every content too, not only header and envelope
};

// The index by itself: LMDB's pages (page_check.h); if they are sound every row's checksum, every message against its recipients, orders and owed report, all
// orders and counters against the messages. In one view: seconds for a million messages.
void check_rows(const Txn& txn, CheckReport& report);  // a transaction of QueueIndex::env()
// Every row against its record, by pages with a view each; what qmgr moves or deletes meanwhile is no fault.
base::Status check_records(QueueIndex& index, const std::string& spool, const CheckOptions& options,
                           CheckReport& report);

}  // namespace holdfast::storage
