// What is handed to a deliver, and what qmgr remembers of it meanwhile, made from the rows of a message. Pure but for
// the reads of the index.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/ipc/messages.h"
#include "common/storage/queue_index.h"
#include "qmgr/flights.h"
#include "qmgr/lane.h"

namespace holdfast::qmgr {

struct Handing {
  ipc::Job job;
  Flight flight;
};

// Nothing when the message is not to be tried for this destination (any more): it was deleted, held, moved or settled
// since it was loaded.
std::optional<Handing> make_job(const storage::QueueIndex& index, const storage::Txn& txn,
                                const std::string& destination, const Lane::Pick& pick, std::int64_t now_ms);

// Of a job that a deliver speaks of and we did not know. Its message may be gone.
Flight flight_of(const storage::QueueIndex& index, const storage::Txn& txn, const ipc::RunningJob& job);

}  // namespace holdfast::qmgr
