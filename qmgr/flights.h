// Messages that are handed out: from then until their outcome is committed they are in no window, and the outcome
// is acknowledged to deliver only at the end. Lives on the loop; outcomes are applied on the index writer's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/ipc/messages.h"
#include "common/mail/queue_id.h"
#include "common/storage/batch_writer.h"
#include "common/storage/queue_index.h"
#include "qmgr/outcome_effect.h"
#include "qmgr/report_writer.h"

namespace holdfast::qmgr {

struct Flight {
  std::string destination;
  std::uint32_t attempt = 0;
  std::int64_t arrival_ms = 0;
  std::optional<std::int64_t> due_ms = {};       // as its row said when it was handed out
  std::optional<ipc::Outcome> outcome;
  std::uint32_t worker = 0;                      // who told the outcome
  std::string sender;
  std::vector<storage::RecipientState> recipients;
};

class Flights {
 public:
  // `landed`: the outcome is on disk, and the flight is still there; the receiver ends it.
  using Landed = std::function<void(mail::QueueId, const Effect&)>;
  // `told`: what was written to a sender who asked for word of a success.
  using ToldSender = std::function<void(const Told&)>;
  Flights(storage::QueueIndex& index, storage::BatchWriter& writer, ReportWriter& reports, Landed landed, ToldSender told);

  bool empty() const { return flights_.empty(); }
  bool contains(mail::QueueId id) const { return flights_.contains(id); }
  Flight* find(mail::QueueId id);
  Flight& put(mail::QueueId id, Flight flight) {
    return flights_.insert_or_assign(id, std::move(flight)).first->second;
  }
  void end(mail::QueueId id) { flights_.erase(id); }
  std::vector<mail::QueueId> under_way() const;  // no outcome yet

  // Applies the flight's outcome to the index, logs what became of the message, and lands it.
  void commit(mail::QueueId id, std::shared_ptr<const Ruling> ruling);

 private:
  struct Result;
  base::Status apply(storage::WriteTxn& txn, mail::QueueId id, const ipc::Outcome& outcome, const Ruling& ruling,
                     Result& result) const;
  void set_damaged_aside(mail::QueueId id, const mail::RecordRef& record);

  storage::QueueIndex& index_;
  storage::BatchWriter& writer_;
  ReportWriter& reports_;  // the writer's thread's
  const Landed landed_;
  const ToldSender told_;
  std::map<mail::QueueId, Flight> flights_;
};

}  // namespace holdfast::qmgr
