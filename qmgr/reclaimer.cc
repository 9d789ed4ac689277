#include "qmgr/reclaimer.h"

#include <cerrno>

#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/storage/corrupt.h"

namespace holdfast::qmgr {

using storage::SegmentState;

Reclaimer::Reclaimer(const std::string& spool, storage::QueueIndex& index, storage::BatchWriter& writer)
    : spool_(spool), folder_(storage::segments_folder(spool)), index_(index), writer_(writer), read_(index.env()) {}

void Reclaimer::look() {
  const storage::ReadTxn::View view(read_);
  if (!view) return;
  index_.each_segment(read_, [&](storage::SegmentId id, const storage::SegmentRow& row) {
    const bool damaged = !row.damage.empty(), done = row.is_done();
    if (!done && !damaged && row.state != SegmentState::kDead) return;
    if (!under_way_.insert(id).second) return;
    if (damaged) {
      set_damage_aside(id);
    } else if (done) {
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
        if (!row || !row->is_done()) return {};
        row->state = SegmentState::kDead;
        return index_.put_segment(txn, id, *row);
      },
      [this, id] { unlink(id); });
}

void Reclaimer::set_damage_aside(storage::SegmentId id) {
  writer_.submit([this, id](storage::WriteTxn& txn) { return set_damage_aside(txn, id); },
                 [this, id] { under_way_.erase(id); });
}

// On the writer's thread. In order, as far as the disk takes it: the rest stays in the row.
base::Status Reclaimer::set_damage_aside(storage::WriteTxn& txn, storage::SegmentId id) {
  auto row = index_.segment(txn, id);
  if (!row || row->damage.empty()) return {};
  const auto segment = storage::Segment::open(folder_, id);
  const bool gone = !segment && segment.error().kind == base::Kind::kNotFound;
  std::size_t done = gone ? row->damage.size() : 0;
  while (segment && done < row->damage.size()) {
    const auto name = storage::set_aside(spool_, **segment, row->damage[done]);
    if (!name) break;
    ++done;
    if (!name->empty()) base::log().notice(id.file_name() + ": what is damaged is set aside as corrupt/" + *name);
  }
  if (done == 0) return {};
  row->damage.erase(row->damage.begin(), row->damage.begin() + static_cast<std::ptrdiff_t>(done));
  return index_.put_segment(txn, id, *row);
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
