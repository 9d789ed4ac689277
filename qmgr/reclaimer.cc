#include "qmgr/reclaimer.h"

#include <cerrno>

#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"

namespace holdfast::qmgr {

using storage::SegmentState;

Reclaimer::Reclaimer(const std::string& spool, storage::QueueIndex& index, storage::BatchWriter& writer)
    : folder_(storage::segments_folder(spool)), index_(index), writer_(writer), read_(index.env()) {}

void Reclaimer::look() {
  const storage::ReadTxn::View view(read_);
  if (!view) return;
  index_.each_segment(read_, [&](storage::SegmentId id, const storage::SegmentRow& row) {
    const bool empty = row.state == SegmentState::kSealed && row.live_records == 0;
    if (!empty && row.state != SegmentState::kDead) return;
    if (!under_way_.insert(id).second) return;
    if (empty) {
      declare_dead(id);
    } else {
      unlink(id);
    }
  });
}

void Reclaimer::declare_dead(storage::SegmentId id) {
  writer_.submit(
      [this, id](storage::WriteTxn& txn) -> base::Status {
        auto row = index_.segment(txn, id);
        if (!row || row->state != SegmentState::kSealed || row->live_records != 0) return {};
        row->state = SegmentState::kDead;
        return index_.put_segment(txn, id, *row);
      },
      [this, id] { unlink(id); });
}

// On the writer's thread, in the batch after the one that said dead.
void Reclaimer::unlink(storage::SegmentId id) {
  writer_.submit(
      [this, id](storage::WriteTxn& txn) -> base::Status {
        const auto row = index_.segment(txn, id);
        if (!row || row->state != SegmentState::kDead) return {};
        // After a failure the row stays, and it is tried again at the next look.
        if (::unlink((folder_ + "/" + id.file_name()).c_str()) != 0 && errno != ENOENT) {
          base::log().warning(base::fail_errno("unlink " + id.file_name(), errno).error().text);
          return {};
        }
        if (auto done = base::fsync_folder(folder_); !done) {
          base::log().warning(done.error().text);
          return {};
        }
        return index_.erase_segment(txn, id);
      },
      [this, id] { under_way_.erase(id); });
}

}  // namespace holdfast::qmgr
