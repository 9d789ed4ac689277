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

namespace {

// Half of what a frame may hold (ipc::kMaxFrame), shared by the replies of all recipients.
constexpr std::size_t kHelloBytes = 8 << 20;
constexpr std::size_t kBesidesReply = 64;

void cut_replies(std::vector<ipc::Outcome>& outcomes) {
  std::size_t recipients = 0;
  for (const auto& outcome : outcomes) recipients += outcome.recipients.size();
  const std::size_t share = recipients == 0 ? 0 : kHelloBytes / recipients;
  const std::size_t most = share > kBesidesReply ? share - kBesidesReply : 0;
  for (auto& outcome : outcomes) {
    for (auto& recipient : outcome.recipients) {
      if (recipient.reply.size() > most) recipient.reply.resize(most);
    }
  }
}

}  // namespace

ipc::DeliverHello Ledger::hello() const {
  ipc::DeliverHello out;
  for (const auto& [id, job] : running_) out.running.push_back(job);
  for (const auto& [key, outcome] : outcomes_) out.outcomes.push_back(outcome);
  cut_replies(out.outcomes);
  return out;
}

}  // namespace holdfast::deliver
