#include "common/storage/segment_writer.h"

#include <algorithm>
#include <cerrno>

#include <sys/file.h>
#include <unistd.h>

#include "common/base/codec.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "common/stats/counters.h"
#include "common/storage/record.h"

namespace holdfast::storage {
namespace {

// Records up to this are put together in memory and written by one system call.
constexpr std::uint64_t kWholeWrite = 1 << 20;

// Read only; never touched, it takes no memory but the kernel's one page of zeros.
char zeros[kRoomAhead];

base::Result<std::uint64_t> content_sum(const base::HashKey& key, const Content& content) {
  base::SipHash hash(key);
  ContentReader reader(content);
  for (;;) {
    const auto piece = reader.next();
    if (!piece) return std::unexpected(piece.error());
    if (piece->empty()) return hash.finish();
    hash.update(*piece);
  }
}

}  // namespace

SegmentWriter::SegmentWriter(FileOps& ops, base::UniqueFd fd, SegmentHeader header)
    : ops_(ops), fd_(std::move(fd)), header_(header) {}

base::Result<std::unique_ptr<SegmentWriter>> SegmentWriter::create(FileOps& ops, const std::string& folder,
                                                                   SegmentId id, SegmentOwner owner) {
  const SegmentHeader header{id, owner, {base::random_number(), base::random_number()}};
  const std::string name = folder + "/" + id.file_name(), temporary = folder + "/new-" + id.file_name();
  auto fd = ops.create(temporary);
  if (!fd) return std::unexpected(fd.error());
  const auto give_up = [&](base::Error error) {
    ::unlink(temporary.c_str());
    return std::unexpected(std::move(error));
  };
  if (::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) return give_up(base::fail_errno("lock " + temporary, errno).error());
  if (auto done = ops.write(fd->get(), header.encode(), 0); !done) return give_up(done.error());
  if (auto done = ops.sync(fd->get()); !done) return give_up(done.error());
  if (auto done = ops.rename(temporary, name); !done) return give_up(done.error());
  // From here on the file may be there after a crash or not: an empty segment harms nobody.
  if (auto done = ops.sync_folder(folder); !done) return std::unexpected(done.error());
  return std::unique_ptr<SegmentWriter>(new SegmentWriter(ops, std::move(*fd), header));
}

bool SegmentWriter::has_room(std::uint64_t record_length) const {
  return usable_ && (end_ == kBlock || end_ + padded(record_length) <= kSegmentBytes);
}

base::Result<mail::RecordRef> SegmentWriter::append(mail::QueueId id, std::uint32_t generation,
                                                    const mail::Envelope& envelope, const Content& content) {
  if (!usable_) return base::fail(base::Kind::kTemporary, "the segment takes nothing more");
  const auto sum = content_sum(header_.key, content);
  if (!sum) return std::unexpected(sum.error());
  RecordHeader record{.id = id, .generation = generation, .content_length = content.size(), .content_sum = *sum,
                      .offset = end_};
  const std::string head = encode_record_head(header_.key, record, envelope);
  if (head.size() - kRecordHeaderBytes > kMaxEnvelopeBytes) return base::fail(base::Kind::kData, "the envelope is too large");
  const std::uint64_t length = head.size() + content.size();
  if (auto done = write_record(head, content, end_); !done) {
    if (!cut(end_)) usable_ = false;
    return std::unexpected(done.error());
  }
  const mail::RecordRef ref{header_.id.writer, header_.id.number, end_, length};
  end_ += padded(length);
  make_room_ahead(padded(length));
  return ref;
}

// Only when the file has just grown: that sync has the new length to write down anyway. Zeros that cannot be written
// concern no record; they are given back, since somebody else may need the disk's last blocks.
void SegmentWriter::make_room_ahead(std::uint64_t last_record) {
  if (end_ <= room_) return;
  room_ = end_;
  if (no_room_ahead_ || header_.owner != SegmentOwner::kSmtpd || last_record > kSmallRecord || end_ >= kSegmentBytes) return;
  const auto length = std::min(kRoomAhead, kSegmentBytes - end_);
  no_room_ahead_ = !ops_.write(fd_.get(), {zeros, static_cast<std::size_t>(length)}, end_);
  room_ += length;
  if (no_room_ahead_) (void)cut(end_);
}

// Whether it went well or not: behind `length` no zeros are counted on.
base::Status SegmentWriter::cut(std::uint64_t length) {
  room_ = length;
  return ops_.cut(fd_.get(), length);
}

SegmentWriter::~SegmentWriter() {
  if (room_ > end_) (void)cut(end_);
}

base::Status SegmentWriter::write_record(const std::string& head, const Content& content, std::uint64_t at) {
  const std::uint64_t length = head.size() + content.size();
  const std::string_view padding{zeros, padded(length) - length};
  ContentReader reader(content);
  std::string buffer = head;
  buffer.reserve(static_cast<std::size_t>(std::min(padded(length), kWholeWrite)));
  for (;;) {
    const auto piece = reader.next();
    if (!piece) return std::unexpected(piece.error());
    buffer.append(piece->empty() ? padding : *piece);
    if (piece->empty()) return ops_.write(fd_.get(), buffer, at);
    if (buffer.size() + kBlock + (64 << 10) > kWholeWrite) {
      if (auto done = ops_.write(fd_.get(), buffer, at); !done) return done;
      at += buffer.size();
      buffer.clear();
    }
  }
}

base::Status SegmentWriter::sync() {
  if (synced_ == end_) return {};
  if (sync_failed_) return base::fail(base::Kind::kTemporary, "the segment could not be synced before");
  const auto began = base::mono_now();
  auto done = ops_.sync_data(fd_.get());
  stats::observe(stats::Histogram::kSyncSeconds, base::mono_now() - began);
  if (!done) {
    // The kernel may have dropped the pages it could not write and would call a second sync good.
    usable_ = false;
    sync_failed_ = true;
    (void)cut(synced_);
    return done;
  }
  synced_ = end_;
  return {};
}

base::Status SegmentWriter::cut_back(std::uint64_t end) {
  if (end >= end_) return {};
  if (auto done = cut(end); !done) {
    usable_ = false;
    return done;
  }
  end_ = end;
  synced_ = std::min(synced_, end);
  return {};
}

}  // namespace holdfast::storage
