#include "master/writer_number.h"

#include <algorithm>
#include <optional>

#include <fmt/core.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/storage/queue_index.h"
#include "common/storage/segment.h"

namespace holdfast::master {
namespace {

// Of the segments' files; 0: there is none.
base::Result<std::uint32_t> highest_in_folder(const std::string& spool) {
  auto segments = storage::list_segments(storage::segments_folder(spool));
  if (!segments && segments.error().kind == base::Kind::kNotFound) return 0U;
  if (!segments) return std::unexpected(segments.error());
  std::uint32_t highest = 0;
  for (const auto& segment : *segments) highest = std::max(highest, segment.writer);
  return highest;
}

// Of the index's rows of segments, whose files may be gone; nothing: there is no index.
base::Result<std::optional<std::uint32_t>> highest_in_index(const std::string& spool) {
  const auto index = storage::QueueIndex::open(spool, {.read_only = true});
  if (!index && index.error().kind == base::Kind::kNotFound) return std::nullopt;
  if (!index) return std::unexpected(index.error());
  storage::ReadTxn txn((*index)->env());
  const storage::ReadTxn::View view(txn);
  if (!view) return std::unexpected(view.error());
  std::uint32_t highest = 0;
  (*index)->each_segment(txn, [&](storage::SegmentId id, const storage::SegmentRow&) { highest = std::max(highest, id.writer); });
  return highest;
}

}  // namespace

base::Result<WriterNumbers> WriterNumbers::open(const config::Paths& paths) {
  WriterNumbers out;
  out.file_ = paths.state + "/writer-number";
  const auto highest = highest_in_folder(paths.spool);
  if (!highest) return std::unexpected(highest.error());
  const auto text = base::read_file(out.file_, 64);
  const bool missing = !text && text.error().kind == base::Kind::kNotFound;
  if (!text && !missing && text.error().kind != base::Kind::kData) return std::unexpected(text.error());
  const auto number = text ? base::to_number(base::trim(*text)) : std::nullopt;
  if (number && *number <= kLast && *number >= *highest) {
    out.last_ = static_cast<std::uint32_t>(*number);
    return out;
  }
  const auto indexed = highest_in_index(paths.spool);
  if (!indexed) return std::unexpected(indexed.error());
  if (missing && *highest == 0 && !*indexed) return out;
  out.last_ = std::min(std::max(*highest, indexed->value_or(0)) + kGap, kLast);
  out.warning_ = fmt::format("{} is {}: writer numbers go on behind {}", out.file_,
                             missing ? "missing although the spool was in use" : "damaged or older than the spool",
                             out.last_);
  return out;
}

base::Result<std::uint32_t> WriterNumbers::next() {
  if (last_ >= kLast) return base::fail(base::Kind::kNoSpace, "all writer numbers are used up");
  if (auto saved = base::replace_file(file_, fmt::format("{}\n", last_ + 1)); !saved) {
    return std::unexpected(saved.error());
  }
  return ++last_;
}

}  // namespace holdfast::master
