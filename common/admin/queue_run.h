// Has qmgr do a deed to the messages that an admin means, however many they are and however they were chosen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/admin/gateway.h"
#include "common/admin/queue_deeds.h"
#include "common/admin/queue_filter.h"

namespace holdfast::admin {

// What has become of a deed, over all of qmgr's answers.
struct DeedOutcome {
  std::uint64_t changed = 0, null_sender = 0, busy = 0;
  std::vector<std::string> missing;  // ids that are not in the queue
  bool named = false;                // the admin gave ids: one that could not be changed is a fault

  void add(const ipc::ControlReply& reply);
  // What was left alone, as an error: kTemporary those that are being handed over; and, of messages named by their ids,
  // kData those of the null sender and kNotFound those that are not there.
  base::Status rest() const;
  // {"changed"}, and "null_sender" and "busy" where there are any.
  std::string json() const;
};

// An age is known to the index, not to qmgr: those messages are found first, and named. kUsage as words_of() says; what
// was done before an error is in the outcome. Blocks as long as qmgr needs for each thousand, at most 10 min.
base::Status run_deed(Gateway& gateway, const Deed& deed, const QueueWords& words, DeedOutcome& outcome);

}  // namespace holdfast::admin
