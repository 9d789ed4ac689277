#include "qmgr/jobs.h"

#include <algorithm>

namespace holdfast::qmgr {

std::optional<Handing> make_job(const storage::QueueIndex& index, const storage::Txn& txn,
                                const std::string& destination, const Lane::Pick& pick, std::int64_t now_ms) {
  const auto id = pick.message.id;
  const auto row = index.message(txn, id);
  if (!row || row->state != storage::MessageState::kDeferred || row->destination != destination) return std::nullopt;
  Handing out;
  out.flight = {.destination = destination,
                .attempt = row->attempts + 1,
                .arrival_ms = row->arrival_ms,
                .due_ms = row->due_ms,
                .outcome = {},
                .worker = 0,
                .sender = row->sender,
                .recipients = index.recipients(txn, id)};
  out.job = {.queue_id = id.value,
             .generation = row->generation,
             .attempt = out.flight.attempt,
             .destination = destination,
             .record = row->record,
             .arrival_ms = row->arrival_ms,
             .due_ms = std::min(row->due_ms, now_ms),
             .canary = pick.canary,
             .recipients = {},
             .mx_domain = {},
             .rescan = row->unfiltered && row->rescan != storage::Rescan::kReleased};
  for (std::uint32_t i = 0; i < out.flight.recipients.size(); ++i) {
    const auto& r = out.flight.recipients[i];
    if (r.status != storage::RecipientStatus::kOpen) continue;
    out.job.recipients.push_back({.index = i, .address = r.address, .known = r.known});
  }
  if (out.job.recipients.empty()) return std::nullopt;
  // One recipient a report: its domain is the one to be looked up, if deliver goes by MX.
  if (destination == config::kBounces && !row->domains.empty()) out.job.mx_domain = row->domains.front();
  return out;
}

Flight flight_of(const storage::QueueIndex& index, const storage::Txn& txn, const ipc::RunningJob& job) {
  const mail::QueueId id{job.queue_id};
  Flight out{.destination = job.destination,
             .attempt = job.attempt,
             .arrival_ms = 0,
             .due_ms = {},
             .outcome = {},
             .worker = 0,
             .sender = {},
             .recipients = index.recipients(txn, id)};
  if (const auto row = index.message(txn, id)) {
    out.sender = row->sender;
    out.arrival_ms = row->arrival_ms;
    out.due_ms = row->due_ms;
  }
  return out;
}

}  // namespace holdfast::qmgr
