// The words that choose messages, the same for every queue command. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/storage/queue_index.h"

namespace holdfast::admin {

struct QueueWords {
  std::vector<std::string> ids;
  std::string destination, domain, sender, recipient, state;
  bool all = false, dry_run = false, yes = false;
  std::string after;      // of list: the id of the message before its first
  std::string by, until;  // of extend
  std::string to;         // of reroute
  std::string older, younger;  // durations: by the message's age
  std::string held_by;         // in the reason for which it is held
  bool unfiltered = false;     // only what nobody has filtered

  bool filtered() const {
    return !destination.empty() || !domain.empty() || !sender.empty() || !recipient.empty() || !state.empty() || !held_by.empty() ||
           unfiltered || aged();
  }
  bool aged() const { return !older.empty() || !younger.empty(); }

  // Arrival times between which messages are meant, both included; kUsage for what is no duration.
  struct Between {
    std::int64_t from_ms = 0, to_ms = 0;
  };
  base::Result<Between> arrivals(std::int64_t now_ms) const;

  // For a listing of the index. "active" is no state of the index: the caller sorts those out.
  base::Result<storage::QueueFilter> filter() const;

  // For a command to qmgr, which knows no ages (queue_run.h finds those). kUsage: nothing chosen, ids together with a
  // filter, something that is no id or no age; or it destroys more than messages named by their ids, and --yes was not
  // said.
  base::Result<std::vector<std::string>> for_qmgr(bool destroys) const;

 private:
  base::Status check() const;
};

}  // namespace holdfast::admin
