#include "common/storage/segment_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/codec.h"

namespace holdfast::storage {
namespace {

constexpr std::size_t kPiece = 64 << 10;

std::unexpected<base::Error> damaged(std::string text) { return base::fail(base::Kind::kData, std::move(text)); }

// Reads exactly `length` bytes; kData at the file's end.
base::Result<std::string> read_exactly(const Segment& segment, std::uint64_t offset, std::size_t length) {
  std::string out(length, '\0');
  const auto n = segment.read(offset, out);
  if (!n) return std::unexpected(n.error());
  if (*n != length) return damaged("the record ends before its length");
  return out;
}

base::Result<std::string> read_first_block(int fd) {
  std::string out(kBlock, '\0');
  std::size_t have = 0;
  while (have < out.size()) {
    const ssize_t n = ::pread(fd, out.data() + have, out.size() - have, static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::fail_errno("read segment", errno);
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  out.resize(have);
  return out;
}

}  // namespace

base::Result<std::shared_ptr<Segment>> Segment::open(const std::string& folder, SegmentId id) {
  const std::string path = folder + "/" + id.file_name();
  base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return base::fail_errno(path, errno);
  std::shared_ptr<Segment> segment(new Segment(std::move(fd), {}));
  // A block that cannot be read now is no damage: the disk may give it the next time.
  const auto block = read_first_block(segment->fd());
  if (!block) return std::unexpected(block.error());
  if (block->size() != kBlock) return damaged(path + ": the segment's header is cut off");
  auto header = SegmentHeader::decode(*block);
  if (!header) return damaged(path + ": " + header.error().text);
  if (header->id != id) return damaged(path + ": the file is another segment's");
  segment->header_ = *header;
  return segment;
}

base::Result<std::uint64_t> Segment::size() const {
  struct stat info {};
  if (::fstat(fd_.get(), &info) != 0) return base::fail_errno("stat segment", errno);
  return static_cast<std::uint64_t>(info.st_size);
}

base::Result<std::size_t> Segment::read(std::uint64_t offset, std::span<char> out) const {
  std::size_t have = 0;
  while (have < out.size()) {
    const ssize_t n = ::pread(fd_.get(), out.data() + have, out.size() - have, static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR) continue;
    // A sector that cannot be read is a damaged record like any other, and does not stop a scan.
    if (n < 0 && errno == EIO) return damaged("the disk cannot read the segment");
    if (n < 0) return base::fail_errno("read segment", errno);
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  return have;
}

base::Result<Record> Record::read_at(std::shared_ptr<Segment> segment, std::uint64_t offset) {
  std::string head(kBlock, '\0');
  const auto n = segment->read(offset, head);
  if (!n) return std::unexpected(n.error());
  head.resize(*n);
  const auto header = RecordHeader::decode(head);
  if (!header) return std::unexpected(header.error());
  if (header->offset != offset) return damaged("the record belongs elsewhere");
  const std::size_t head_length = kRecordHeaderBytes + header->envelope_length;
  if (head_length > head.size()) {
    auto rest = read_exactly(*segment, offset + head.size(), head_length - head.size());
    if (!rest) return std::unexpected(rest.error());
    head += *rest;
  }
  head.resize(head_length);
  if (!head_is_sound(segment->header().key, head, *header)) return damaged("the record's header checksum is wrong");
  auto envelope = base::decode<mail::Envelope>(std::string_view(head).substr(kRecordHeaderBytes));
  if (!envelope) return damaged("the record's envelope cannot be read");
  Record record;
  record.segment_ = std::move(segment);
  record.header_ = *header;
  record.envelope_ = std::move(*envelope);
  return record;
}

base::Result<Record> Record::open(const std::string& folder, const mail::RecordRef& ref, mail::QueueId id,
                                  std::uint32_t generation) {
  auto segment = Segment::open(folder, {ref.writer, ref.segment});
  if (!segment) return std::unexpected(segment.error());
  auto record = read_at(std::move(*segment), ref.offset);
  if (!record) return record;
  const auto& header = record->header();
  if (header.id != id || header.generation != generation || header.length() != ref.length) {
    return damaged("the record is another message's");
  }
  return record;
}

mail::RecordRef Record::ref() const {
  return {segment_->id().writer, segment_->id().number, header_.offset, header_.length()};
}

base::Result<std::size_t> Record::read_content(std::uint64_t offset, std::span<char> out) const {
  if (offset >= header_.content_length) return 0;
  const auto left = header_.content_length - offset;
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(left, out.size()));
  const std::uint64_t begin = header_.offset + kRecordHeaderBytes + header_.envelope_length;
  const auto n = segment_->read(begin + offset, out.first(want));
  if (n && *n != want) return damaged("the record ends before its length");
  return n;
}

base::Status Record::verify() const {
  base::SipHash hash(segment_->header().key);
  std::string piece(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, header_.content_length)), '\0');
  for (std::uint64_t at = 0; at < header_.content_length;) {
    const auto n = read_content(at, piece);
    if (!n) return std::unexpected(n.error());
    hash.update(std::string_view(piece).substr(0, *n));
    at += *n;
  }
  if (hash.finish() != header_.content_sum) return damaged("the content's checksum is wrong");
  return {};
}

base::Result<std::string> Record::content() const {
  std::string out(static_cast<std::size_t>(header_.content_length), '\0');
  const auto n = read_content(0, out);
  if (!n) return std::unexpected(n.error());
  if (base::siphash(segment_->header().key, out) != header_.content_sum) return damaged("the content's checksum is wrong");
  return out;
}

namespace {

// One pass over a segment. A bad block is not reported at once: neighbours are told of together.
class Scan {
 public:
  Scan(const std::shared_ptr<Segment>& segment, const ScanOptions& options, const ScanHandler& handler,
       std::uint64_t end)
      : segment_(segment), options_(options), handler_(handler), at_(padded(options.from)), end_(end) {}

  base::Result<std::uint64_t> run() {
    bool go_on = true;
    while (go_on && at_ < end_) {
      const auto record = Record::read_at(segment_, at_);
      if (!record && record.error().kind != base::Kind::kData) return std::unexpected(record.error());
      if (!record) {
        skip_block();
        continue;
      }
      report_bad();
      const auto outcome = take(*record);
      if (!outcome) return std::unexpected(outcome.error());
      go_on = *outcome;
    }
    report_bad();
    return std::min(at_, padded(end_));
  }

 private:
  // A record that is cut off at the end is damaged too: it was never acknowledged.
  base::Result<bool> take(const Record& record) {
    const std::uint64_t length = record.header().length(), offset = at_;
    const bool whole = length <= end_ - at_;
    base::Status sound{};
    if (whole && options_.check_content) sound = record.verify();
    if (!sound && sound.error().kind != base::Kind::kData) return std::unexpected(sound.error());
    at_ += padded(length);
    if (whole && sound) return handler_.record(record);
    if (handler_.damaged) handler_.damaged(record.header(), offset, length);
    return true;
  }

  void skip_block() {
    if (bad_length_ == 0) bad_from_ = at_;
    const auto step = std::min(kBlock, end_ - at_);
    bad_length_ += step;
    at_ += kBlock;
  }

  void report_bad() {
    if (bad_length_ > 0 && handler_.bad_blocks) handler_.bad_blocks(bad_from_, bad_length_);
    bad_length_ = 0;
  }

  const std::shared_ptr<Segment>& segment_;
  const ScanOptions& options_;
  const ScanHandler& handler_;
  std::uint64_t at_, end_;
  std::uint64_t bad_from_ = 0, bad_length_ = 0;
};

}  // namespace

base::Result<std::uint64_t> scan(const std::shared_ptr<Segment>& segment, const ScanOptions& options,
                                 const ScanHandler& handler) {
  const auto size = segment->size();
  if (!size) return std::unexpected(size.error());
  return Scan(segment, options, handler, std::min(*size, options.upto)).run();
}

}  // namespace holdfast::storage
