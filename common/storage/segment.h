// Names and the first block of segment files. docs/spool-format.md describes every byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/base/siphash.h"

namespace holdfast::storage {

inline constexpr std::uint64_t kBlock = 4096;
inline constexpr std::uint64_t kSegmentBytes = 64ULL << 20;

constexpr std::uint64_t padded(std::uint64_t length) { return (length + kBlock - 1) / kBlock * kBlock; }

// A segment is named by its writer's number and a count; neither is ever used twice.
struct SegmentId {
  std::uint32_t writer = 0;
  std::uint32_t number = 0;

  std::string file_name() const;  // "00002A-00000001.seg"
  static std::optional<SegmentId> parse(std::string_view file_name);
  auto operator<=>(const SegmentId&) const = default;
};

// A damaged place of a segment: a record's, as far as its header still says, or blocks in which none is to be found.
struct Damage {
  std::uint64_t offset = 0, length = 0;
  std::uint64_t id = 0;  // the record's queue id; 0: blocks

  template <class V>
  void fields(V&& v) { v(offset, length, id); }
  bool operator==(const Damage&) const = default;
};

// How far a segment is durable. What smtpd tells qmgr (ipc::Synced).
struct SegmentMark {
  SegmentId id;
  std::uint64_t upto = 0;
  bool sealed = false;  // nothing will be appended any more
};

// Who wrote it, and so what counts in it when the writer has died: all of smtpd's records, but of qmgr's own
// (bounces, ...) only those before the index's mark; the rest is cut (design.md section 4, step 5).
enum class SegmentOwner : std::uint32_t { kSmtpd, kQmgr };

// Fills the first block of the file, where it stands twice.
struct SegmentHeader {
  SegmentId id;
  SegmentOwner owner = SegmentOwner::kSmtpd;
  base::HashKey key{};  // random; every checksum in the file starts with it

  std::string encode() const;                                      // kBlock bytes
  static base::Result<SegmentHeader> decode(std::string_view block);  // kData when both are damaged

 private:
  static base::Result<SegmentHeader> decode_one(std::string_view bytes);
};

// Where segments and set-aside records live under paths.spool.
std::string segments_folder(const std::string& spool);
std::string corrupt_folder(const std::string& spool);
std::string rescan_folder(const std::string& spool);  // deliver's unnamed files, while filters are asked

// The segments of a folder, in order. Names of other shape are left out.
base::Result<std::vector<SegmentId>> list_segments(const std::string& folder);

}  // namespace holdfast::storage
