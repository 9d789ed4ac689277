// Segments as a crash, a bad disk or an enemy leaves them: records of the input's choice, then changed bytes and a cut
// end. Whatever the scan tells must be one of the records, byte for byte; every record that was not touched must be
// told; what it tells lies side by side from the beginning to the end.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "common/base/codec.h"
#include "common/base/panic.h"
#include "common/base/siphash.h"
#include "common/storage/segment_reader.h"
#include "fuzz/target.h"

namespace holdfast::fuzz {
namespace {

using base::expect;
using namespace storage;

// Of all of the input: libFuzzer, which sees what sums are compared with, would learn those of a key that stays.
base::HashKey key_of(std::string_view input) {
  const base::HashKey any{0x0123456789abcdef, 0xfedcba9876543210};
  const std::uint64_t first = base::siphash(any, input);
  return {first, base::siphash({first, 0}, input)};
}

// Of a segment's header: docs/spool-format.md.
constexpr std::uint64_t kHeaderBytes = 48, kHeaderSum = 40, kHeaderCopy = 2048;

struct Planted {
  std::uint64_t offset = 0, length = 0;
  std::size_t head = 0;  // header and envelope
  mail::QueueId id;
  std::uint32_t generation = 0;
  std::string content;
  bool readable = false;  // its envelope is one
};

// A record as docs/spool-format.md has it, around any bytes as its envelope.
std::string record_bytes(const base::HashKey& key, Planted& record, std::string_view envelope) {
  std::string out = "HOLDFREC";
  base::Writer w(out);
  w.number(std::uint32_t{1});
  w.number(static_cast<std::uint32_t>(envelope.size()));
  w.number(std::uint64_t{record.content.size()});
  w.number(record.id.value);
  w.number(record.generation);
  w.number(std::uint32_t{0});
  w.number(record.offset);
  w.number(base::siphash(key, record.content));
  const std::string summed = out + std::string(envelope);
  w.number(base::siphash(key, summed));
  out += envelope;
  record.head = out.size();
  record.readable = base::decode<mail::Envelope>(envelope).has_value();
  out += record.content;
  record.length = out.size();
  return out;
}

std::string usual_envelope(std::string_view sender) {
  mail::Envelope envelope;
  envelope.sender = sender;
  envelope.recipients = {{"a@b.test", "", "", true}};
  return base::encode(envelope);
}

// What lies on the disk, and what should.
struct Disk {
  base::HashKey key;
  std::string original, bytes;
  std::vector<Planted> records;

  bool untouched(std::uint64_t from, std::uint64_t length) const {
    if (from + length > bytes.size()) return false;
    return bytes.compare(from, length, original, from, length) == 0;
  }
  const Planted* at(std::uint64_t offset) const {
    const auto found = std::ranges::find(records, offset, &Planted::offset);
    return found == records.end() ? nullptr : &*found;
  }
};

void plant(Disk& disk, Input& input) {
  const std::uint8_t kind = input.byte();
  Planted record;
  record.offset = disk.original.size();
  record.id.value = input.word();
  record.generation = kind >> 6;
  const auto words = input.text();
  record.content = input.text();
  // Some reach over several blocks.
  if ((kind & 2) > 0 && !record.content.empty()) record.content.resize(4000 + record.content.size() * 20, record.content.back());
  disk.original += record_bytes(disk.key, record, (kind & 1) > 0 ? std::string(words) : usual_envelope(words));
  disk.original.resize(padded(disk.original.size()), '\0');
  disk.records.push_back(std::move(record));
  if ((kind & 4) > 0) disk.original.resize(disk.original.size() + kBlock, '\0');  // room ahead
}

// The sum over a segment's header guards against accidents: its key stands beside it. libFuzzer would learn it, but nobody
// else's bytes get there.
void spoil_changed_headers(Disk& disk) {
  for (const std::uint64_t header : {std::uint64_t{0}, kHeaderCopy}) {
    if (disk.untouched(header, kHeaderBytes)) continue;
    for (std::size_t i = 0; i < sizeof(std::uint64_t) && header + kHeaderSum + i < disk.bytes.size(); ++i) {
      char& byte = disk.bytes[header + kHeaderSum + i];
      byte = static_cast<char>(byte ^ static_cast<char>((disk.key[0] | 1) >> (8 * i)));
    }
  }
}

Disk make_disk(SegmentId id, const base::HashKey& key, Input& input) {
  Disk disk{.key = key, .original = {}, .bytes = {}, .records = {}};
  SegmentHeader header{.id = id, .owner = SegmentOwner::kSmtpd, .key = key};
  disk.original = header.encode();
  for (unsigned n = input.byte() % 4U; n > 0; --n) plant(disk, input);
  disk.bytes = disk.original;
  for (unsigned n = input.byte() % 8U; n > 0; --n) {
    const std::size_t at = input.word();
    const auto change = static_cast<char>(input.byte());
    if (at < disk.bytes.size()) disk.bytes[at] = static_cast<char>(disk.bytes[at] ^ change);
  }
  const std::size_t cut = input.word();
  if (cut > 0) disk.bytes.resize(std::max<std::size_t>(disk.bytes.size(), cut) - cut);
  const auto written = input.rest();  // over the beginning of the first record, or of the file
  const std::size_t place = cut % 2 > 0 ? 0 : kBlock;
  if (!written.empty() && place + written.size() <= disk.bytes.size()) {
    disk.bytes.replace(place, written.size(), written);
    if (place == 0) spoil_changed_headers(disk);
  }
  return disk;
}

// Walks with the scan, and sees that nothing is left out.
class Watcher {
 public:
  Watcher(const Disk& disk, const ScanOptions& options)
      : disk_(disk), options_(options), end_(std::min<std::uint64_t>(disk.bytes.size(), options.upto)), at_(padded(options.from)) {}

  void watch(const std::shared_ptr<Segment>& segment) {
    ScanHandler handler;
    handler.record = [this](const Record& record) { return on_record(record), true; };
    handler.damaged = [this](const RecordHeader& header, std::uint64_t offset, std::uint64_t length) {
      const Planted* planted = disk_.at(offset);
      expect(planted != nullptr && planted->length == length && planted->id == header.id, "damage of a record that never was");
      expect(!disk_.untouched(offset, length) || offset + length > end_, "a sound record is told as damaged");
      pass(offset, padded(length));
    };
    handler.bad_blocks = [this](std::uint64_t offset, std::uint64_t length) {
      expect(offset + length <= end_ || offset >= end_, "bad blocks behind the end");
      pass(offset, padded(length));
    };
    const auto reached = scan(segment, options_, handler);
    expect(reached.has_value(), "a scan gives up");
    expect(*reached <= std::max(padded(end_), padded(options_.from)), "a scan goes on behind its end");
    if (at_ < end_) base::panic("a part of the segment is passed over");
    for (const Planted& planted : disk_.records) {
      const bool there = planted.offset >= padded(options_.from) && planted.offset + planted.length <= end_;
      const bool sound = planted.readable && disk_.untouched(planted.offset, planted.length);
      if (there && sound) expect(std::ranges::find(told_, planted.offset) != told_.end(), "a sound record is not told");
    }
  }

 private:
  void on_record(const Record& record) {
    const auto& header = record.header();
    const Planted* planted = disk_.at(header.offset);
    expect(planted != nullptr, "a record that never was");
    expect(planted->readable && disk_.untouched(planted->offset, planted->head), "a record with another head than was written");
    expect(header.id == planted->id && header.generation == planted->generation && header.length() == planted->length, "another record");
    const bool whole = disk_.untouched(planted->offset, planted->length);
    expect(record.verify().has_value() == whole, "content is sound that is not, or the other way round");
    expect(whole || !options_.check_content, "damaged content is told as sound");
    if (whole) expect_equal(record.content().value_or(""), planted->content, "another content than was written");
    told_.push_back(planted->offset);
    pass(planted->offset, padded(planted->length));
  }
  void pass(std::uint64_t offset, std::uint64_t length) {
    expect(offset == at_ && length > 0, "a scan that leaps, or stands still");
    at_ += length;
  }

  const Disk& disk_;
  const ScanOptions& options_;
  const std::uint64_t end_;
  std::uint64_t at_;
  std::vector<std::uint64_t> told_;
};

// What is asked for by its place is that, or nothing.
void ask(const std::string& folder, SegmentId id, const Disk& disk) {
  for (const Planted& planted : disk.records) {
    const mail::RecordRef ref{id.writer, id.number, planted.offset, planted.length};
    const auto record = Record::open(folder, ref, planted.id, planted.generation);
    expect(record.has_value() == (planted.readable && disk.untouched(planted.offset, planted.head)), "a record is not found by its place");
    expect(!Record::open(folder, ref, {planted.id.value + 1}, planted.generation), "a record is taken for another message's");
    expect(!Record::open(folder, ref, planted.id, planted.generation + 1), "a record is taken for another generation");
    if (record && disk.untouched(planted.offset, planted.length)) expect(record->ref() == ref, "a record lies elsewhere");
  }
}

std::string folder() {
  const char* set = std::getenv("TMPDIR");
  return set != nullptr ? set : "/tmp";
}

void write_file(const std::string& path, std::string_view bytes) {
  const base::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  expect(static_cast<bool>(file) && base::write_all(file.get(), bytes).has_value(), "the segment cannot be written");
}

void run(std::string_view bytes) {
  const SegmentId id{static_cast<std::uint32_t>(::getpid()) & 0xffffff, 1};
  Input input(bytes);
  const ScanOptions options{.from = input.word(), .upto = input.byte() % 2 > 0 ? input.word() : ~std::uint64_t{0}, .check_content = input.byte() % 2 > 0};
  const Disk disk = make_disk(id, key_of(bytes), input);
  const std::string path = folder() + "/" + id.file_name();
  write_file(path, disk.bytes);
  const auto segment = Segment::open(folder(), id);
  const bool readable = disk.bytes.size() >= kBlock && (disk.untouched(0, kHeaderBytes) || disk.untouched(kHeaderCopy, kHeaderBytes));
  if (segment && readable) ask(folder(), id, disk);
  ::unlink(path.c_str());
  expect(segment.has_value() == readable, "a segment without its header is read, or one with it is not");
  if (segment) Watcher(disk, options).watch(*segment);
}

[[maybe_unused]] const bool kRegistered = add({"segment_reader", &run});

}  // namespace
}  // namespace holdfast::fuzz
