#include "qmgr/indexer.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/announce.h"
#include "common/base/log.h"

namespace holdfast::qmgr {
namespace {

constexpr std::uint64_t kToTheEnd = std::numeric_limits<std::uint64_t>::max();

// The file, locked; nothing when somebody holds it.
base::UniqueFd try_lock(const std::string& path) {
  base::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) fd.reset();
  return fd;
}

}  // namespace

Indexer::Indexer(std::string spool, storage::QueueIndex& index, storage::BatchWriter& writer, Indexed indexed)
    : spool_(std::move(spool)),
      folder_(storage::segments_folder(spool_)),
      index_(index),
      writer_(writer),
      indexed_(std::move(indexed)),
      read_(index.env()) {}

void Indexer::synced(const ipc::Synced& mark) {
  const storage::SegmentId id{mark.writer, mark.segment};
  if (is_sealed(id)) return;  // told again, and all is known
  auto& work = work_[id];
  work.upto = std::max(work.upto, mark.upto);
  work.seal = work.seal || mark.sealed;
  if (!work.running) step(id);
}

bool Indexer::is_sealed(storage::SegmentId id) {
  if (work_.contains(id)) return false;
  const storage::ReadTxn::View view(read_);
  if (!view) return false;
  const auto row = index_.segment(read_, id);
  return row && row->state != storage::SegmentState::kLive;
}

base::Status Indexer::look_for_orphans() {
  const auto segments = storage::list_segments(folder_);
  if (!segments) return std::unexpected(segments.error());
  for (const auto& id : *segments) {
    const auto at = work_.find(id);
    const bool in_hand = at != work_.end() && (at->second.running || at->second.lock);
    if (in_hand) continue;
    if (!is_sealed(id)) recover(id);
  }
  std::vector<storage::SegmentId> again;
  for (const auto& [id, work] : work_) {
    if (work.again && !work.running) again.push_back(id);
  }
  for (const auto& id : again) step(id);
  return {};
}

void Indexer::recover(storage::SegmentId id) {
  auto lock = try_lock(folder_ + "/" + id.file_name());
  if (!lock) return;
  auto& work = work_[id];
  work.lock = std::move(lock);
  work.upto = kToTheEnd;
  work.seal = work.after_crash = true;
  step(id);
}

void Indexer::step(storage::SegmentId id, bool goes_on) {
  auto& work = work_[id];
  work.running = true;
  work.again = false;
  if (!work.after_crash) return submit(id);
  if (goes_on) waiting_.push_front(id);
  else waiting_.push_back(id);
  recover_more();
}

void Indexer::recover_more() {
  while (recovering_ < kRecoverAtOnce && !waiting_.empty()) {
    const auto id = waiting_.front();
    waiting_.pop_front();
    ++recovering_;
    submit(id);
  }
}

void Indexer::submit(storage::SegmentId id) {
  const auto& work = work_[id];
  const IndexStep what{.spool = spool_, .id = id, .upto = work.upto, .seal = work.seal, .after_crash = work.after_crash,
                       .plan = plan_};
  const auto out = std::make_shared<IndexedStep>();
  // What a dead writer left in the page cache must be as durable as what rows will say of it. Once: a
  // second fdatasync after a failed one means nothing.
  const auto to_sync = std::make_shared<int>(work.lock.get());
  writer_.submit(
      [this, what, out, to_sync](storage::WriteTxn& txn) {
        const int fd = std::exchange(*to_sync, -1);
        if (fd >= 0 && ::fdatasync(fd) != 0) {
          base::log().error(base::fail_errno("fdatasync " + what.id.file_name(), errno).error().text);
        }
        return index_step(index_, txn, what, *out);
      },
      [this, what, out] { step_done(what, *out); });
}

void Indexer::step_done(const IndexStep& what, const IndexedStep& done) {
  for (const auto& warning : done.warnings) base::log().warning(warning);
  if (done.damaged > 0) {
    base::announce(base::Level::kError, "spool_damage", {{"segment", what.id.file_name()},
                                                           {"places", std::to_string(done.damaged)}});
  }
  if (what.after_crash) --recovering_;
  auto& work = work_[what.id];
  work.running = false;
  const bool raised = work.upto > what.upto || work.seal != what.seal;  // told more meanwhile
  if (done.over) {
    work_.erase(what.id);
  } else if (!done.finished || raised) {
    step(what.id, true);
  } else if (work.lock) {
    work_.erase(what.id);  // not readable now: look_for_orphans() comes back to it
  } else {
    work.again = done.unreadable;
  }
  recover_more();
  indexed_(done);
}

void Indexer::remove_unfinished() {
  std::error_code ec;
  for (std::filesystem::directory_iterator it(folder_, ec), end; !ec && it != end; it.increment(ec)) {
    const auto name = it->path().filename().string();
    if (name.starts_with("new-") && try_lock(it->path().string())) ::unlink(it->path().c_str());
  }
}

}  // namespace holdfast::qmgr
