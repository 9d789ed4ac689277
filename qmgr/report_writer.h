// Tells senders what became of their mail: builds a report from the original's record, appends it to qmgr's
// own segment and adds it to the queue, all within one operation on the index writer's thread, so that a crash
// leaves either the debt or the report, never both and never none; the tallies of `status` are raised in it too.
//
// Nobody is told twice; a null sender is told nothing (RFC 5321 section 4.5.5): its message is frozen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/config/config.h"
#include "common/mail/delivery_report.h"
#include "common/mail/queue_id.h"
#include "common/storage/queue_index.h"
#include "qmgr/index_segment.h"
#include "qmgr/own_spool.h"

namespace holdfast::qmgr {

// What one call came to: for the log, the counters and the dispatcher, once the operation is committed.
struct Told {
  mail::QueueId original;
  mail::ReportKind kind = mail::ReportKind::kFailed;
  std::optional<NewMessage> report;   // in the queue now
  std::string suppressed;             // why none was written though somebody was owed one; empty: not so
  bool postponed = false;             // the disk did not take it: the debt stays, come back later
  bool unreadable = false;            // likewise, but it is the original that cannot be read just now
  std::string trouble;                // for the log: why so, or that the original is damaged
  std::uint64_t read = 0;             // bytes of the original's content
  bool removed = false;               // nobody of the original is left: it is out of the queue
  bool frozen = false, held = false;  // what is left of the original was frozen (null sender), or held
  std::string reason;                 // of frozen and held
};

class ReportWriter {
 public:
  ReportWriter(const std::string& spool, storage::QueueIndex& index, OwnSpool& own);

  // Pays the debt of a message in `owed`: one report for all its recipients that are kRefused. Fine when the
  // message or the debt is gone. `insist`: an original that cannot be read now counts as damaged.
  base::Status pay(storage::WriteTxn& txn, mail::QueueId id, const config::Config& config, std::int64_t now_ms,
                   Told& told, bool insist = false);

  // That these recipients of a message have been reached, by a server that tells its sender nothing. The row and the
  // recipients are as they are now, which the index may not know yet. A courtesy: when the disk takes nothing there is
  // none.
  base::Status success_notice(storage::WriteTxn& txn, mail::QueueId id, const storage::MessageRow& row,
                              const std::vector<storage::RecipientState>& recipients,
                              const std::vector<std::uint32_t>& reached, const config::Config& config,
                              std::int64_t now_ms, Told& told);

  // That the message's open recipients are late, if its sender wants to know. The row is not changed: whoever
  // calls clears warn_ms in the same operation, unless it was postponed.
  base::Status delay_notice(storage::WriteTxn& txn, mail::QueueId id, const config::Config& config,
                            std::int64_t now_ms, Told& told);

 private:
  struct Original;
  struct Call;  // the arguments of pay() and delay_notice()
  Original read(const Call& call) const;
  void read_record(const Call& call, Original& out) const;
  base::Status tell(const Call& call, Original& original, const std::vector<std::size_t>& about);
  base::Status write(const Call& call, const Original& original, const std::vector<std::size_t>& about);
  base::Status add(const Call& call, const Original& original, const mail::Report& report);
  base::Status settle(const Call& call, Original& original);
  base::Status count_told(const Call& call) const;

  const std::string spool_;
  storage::QueueIndex& index_;
  OwnSpool& own_;
};

}  // namespace holdfast::qmgr
