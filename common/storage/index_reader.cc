#include "common/storage/index_reader.h"

#include <sys/stat.h>

namespace holdfast::storage {
namespace {

bool look(const std::string& spool, struct stat& info) { return ::stat((QueueIndex::folder(spool) + "/data.mdb").c_str(), &info) == 0; }

}  // namespace

bool IndexReader::exists(const std::string& spool) {
  struct stat info {};
  return look(spool, info);
}

base::Status IndexReader::read(const std::string& spool, std::uint64_t map_bytes,
                               const std::function<void(const QueueIndex&, const Txn&)>& questions) {
  struct stat info {};
  const bool there = look(spool, info);
  if (index_ && there && (info.st_dev != device_ || info.st_ino != inode_)) {
    txn_.reset();
    index_.reset();
  }
  if (!index_) {
    auto opened = QueueIndex::open(spool, {.read_only = true, .map_bytes = map_bytes});
    if (!opened) return std::unexpected(opened.error());
    index_ = std::move(*opened);
    txn_ = std::make_unique<ReadTxn>(index_->env());
    device_ = info.st_dev;
    inode_ = info.st_ino;
  }
  const ReadTxn::View view(*txn_);
  if (!view) return std::unexpected(view.error());
  questions(*index_, *txn_);
  return {};
}

}  // namespace holdfast::storage
