// What this worker runs and what it has to tell qmgr: pure. An outcome is kept until qmgr says that it is
// committed, over any number of connections to it (design.md section 2).
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "common/ipc/messages.h"

namespace holdfast::deliver {

class Ledger {
 public:
  enum class Begin { kNow, kRuns, kEnded };
  // kRuns: the message is being handed over already. kEnded: this very attempt has ended; outcome() tells.
  Begin begin(const ipc::Job& job);
  const ipc::Outcome& outcome(const ipc::Job& job) const { return outcomes_.at({job.queue_id, job.attempt}); }
  // The job has ended; its outcome is kept from now on.
  void end(const ipc::Outcome& outcome);
  // The job was given up before anything of it went to the destination: as if it had never come.
  void forget(std::uint64_t queue_id) { running_.erase(queue_id); }
  void committed(const ipc::OutcomeCommitted& word) { outcomes_.erase({word.queue_id, word.attempt}); }

  // What a qmgr that we have just met must know, in one message: of very many outcomes the replies are cut.
  ipc::DeliverHello hello() const;
  std::size_t running() const { return running_.size(); }
  std::size_t outcomes() const { return outcomes_.size(); }

 private:
  std::map<std::uint64_t, ipc::RunningJob> running_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, ipc::Outcome> outcomes_;  // by id and attempt
};

}  // namespace holdfast::deliver
