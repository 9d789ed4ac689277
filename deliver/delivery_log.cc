#include "deliver/delivery_log.h"

#include <algorithm>

namespace holdfast::deliver {
namespace {

double seconds(std::int64_t ms) { return static_cast<double>(std::max<std::int64_t>(ms, 0)) / 1000.0; }

std::string line_of(ipc::RecipientStatus status, const mail::events::Handover& handover) {
  switch (status) {
    case ipc::RecipientStatus::kSent: return mail::events::sent(handover);
    case ipc::RecipientStatus::kRefused: return mail::events::refused(handover);
    case ipc::RecipientStatus::kDeferred: break;
  }
  return mail::events::deferred(handover);
}

}  // namespace

mail::events::Delays delays_of(const ipc::Job& job, base::Wall began, base::Millis connecting,
                               base::Millis transmitting) {
  return {seconds(job.due_ms - job.arrival_ms), seconds(base::to_millis(began) - std::max(job.due_ms, job.arrival_ms)),
          seconds(connecting.count()), seconds(transmitting.count())};
}

std::vector<std::string> lines_of(const ipc::Job& job, const ipc::Outcome& outcome,
                                  const mail::events::Delays& delays) {
  std::vector<std::string> lines;
  const mail::QueueId id{outcome.queue_id};
  for (std::size_t i = 0; i < outcome.recipients.size(); ++i) {
    const ipc::RecipientOutcome& word = outcome.recipients[i];
    const mail::events::Handover handover{id, job.recipients[i].address, outcome.relay, delays, word.dsn, word.reply};
    lines.push_back(line_of(static_cast<ipc::RecipientStatus>(word.status), handover));
  }
  if (outcome.possible_duplicate) lines.push_back(mail::events::possible_duplicate(id, outcome.relay));
  return lines;
}

}  // namespace holdfast::deliver
