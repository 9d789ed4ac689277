#include "deliver/ledger.h"

namespace holdfast::deliver {

Ledger::Begin Ledger::begin(const ipc::Job& job) {
  if (running_.contains(job.queue_id)) return Begin::kRuns;
  if (outcomes_.contains({job.queue_id, job.attempt})) return Begin::kEnded;
  running_.emplace(job.queue_id, ipc::RunningJob{job.queue_id, job.attempt, job.destination});
  return Begin::kNow;
}

void Ledger::end(const ipc::Outcome& outcome) {
  running_.erase(outcome.queue_id);
  outcomes_.insert_or_assign({outcome.queue_id, outcome.attempt}, outcome);
}

ipc::DeliverHello Ledger::hello() const {
  ipc::DeliverHello out;
  for (const auto& [id, job] : running_) out.running.push_back(job);
  for (const auto& [key, outcome] : outcomes_) out.outcomes.push_back(outcome);
  return out;
}

}  // namespace holdfast::deliver
