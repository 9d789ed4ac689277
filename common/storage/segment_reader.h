// Reads segments: one record by its place, or all of them in a row after a crash. Nothing here trusts the
// file: each record is checked by its checksums, which start with the segment's random key.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/mail/envelope.h"
#include "common/mail/queue_id.h"
#include "common/mail/record_ref.h"
#include "common/storage/record.h"
#include "common/storage/segment.h"

namespace holdfast::storage {

// An open segment file.
class Segment {
 public:
  // kNotFound: no such file; kData: not a segment, or another's.
  static base::Result<std::shared_ptr<Segment>> open(const std::string& folder, SegmentId id);

  const SegmentHeader& header() const { return header_; }
  SegmentId id() const { return header_.id; }
  int fd() const { return fd_.get(); }
  base::Result<std::uint64_t> size() const;
  // Fills `out` from `offset`; fewer bytes only at the file's end.
  base::Result<std::size_t> read(std::uint64_t offset, std::span<char> out) const;

 private:
  Segment(base::UniqueFd fd, SegmentHeader header) : fd_(std::move(fd)), header_(header) {}

  base::UniqueFd fd_;
  SegmentHeader header_;
};

// One record whose header and envelope are sound. Its content is not checked yet: verify() before the
// first byte of it goes to anybody.
class Record {
 public:
  // kData when id, generation, place or checksum are not as said; kNotFound when the segment is gone.
  static base::Result<Record> open(const std::string& folder, const mail::RecordRef& ref, mail::QueueId id,
                                   std::uint32_t generation);
  static base::Result<Record> read_at(std::shared_ptr<Segment> segment, std::uint64_t offset);

  const RecordHeader& header() const { return header_; }
  const mail::Envelope& envelope() const { return envelope_; }
  std::uint64_t content_size() const { return header_.content_length; }
  mail::RecordRef ref() const;

  // Reads the content once and compares its checksum: kData when it is damaged.
  base::Status verify() const;
  // Bytes of the content from `offset`; 0 at its end.
  base::Result<std::size_t> read_content(std::uint64_t offset, std::span<char> out) const;
  // The whole content, checked; for messages known to be small.
  base::Result<std::string> content() const;

 private:
  std::shared_ptr<Segment> segment_;
  RecordHeader header_;
  mail::Envelope envelope_;
};

// What a scan meets, in the order of the file.
struct ScanHandler {
  // Return false to end the scan behind this record.
  std::function<bool(const Record&)> record;
  // The header is sound, the content (or its end) is not: to be set aside. `length` is the record's.
  std::function<void(const RecordHeader&, std::uint64_t offset, std::uint64_t length)> damaged;
  // Blocks in a row that begin no record.
  std::function<void(std::uint64_t offset, std::uint64_t length)> bad_blocks;
};
struct ScanOptions {
  std::uint64_t from = kBlock;
  std::uint64_t upto = ~0ULL;    // never reads beyond it, nor the file's end
  bool check_content = true;     // false: the writer lives and has just synced it
};

// Goes on at the next block after a bad one. Returns where it ended: the place to go on from.
base::Result<std::uint64_t> scan(const std::shared_ptr<Segment>& segment, const ScanOptions& options,
                                 const ScanHandler& handler);

}  // namespace holdfast::storage
