#include "master/writer_number.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/storage/segment.h"

namespace holdfast::master {
namespace {

// 0: there is no segment.
base::Result<std::uint32_t> highest_in_segments(const std::string& spool) {
  auto segments = storage::list_segments(storage::segments_folder(spool));
  if (!segments && segments.error().kind == base::Kind::kNotFound) return 0U;
  if (!segments) return std::unexpected(segments.error());
  std::uint32_t highest = 0;
  for (const auto& segment : *segments) highest = std::max(highest, segment.writer);
  return highest;
}

}  // namespace

base::Result<WriterNumbers> WriterNumbers::open(const config::Paths& paths) {
  WriterNumbers out;
  out.file_ = paths.state + "/writer-number";
  const auto highest = highest_in_segments(paths.spool);
  if (!highest) return std::unexpected(highest.error());
  const auto text = base::read_file(out.file_, 64);
  const bool missing = !text && text.error().kind == base::Kind::kNotFound;
  if (!text && !missing && text.error().kind != base::Kind::kData) return std::unexpected(text.error());
  const auto number = text ? base::to_number(base::trim(*text)) : std::nullopt;
  if (number && *number <= kLast && *number >= *highest) {
    out.last_ = static_cast<std::uint32_t>(*number);
    return out;
  }
  if (missing && *highest == 0) return out;
  out.last_ = std::min(*highest + kGap, kLast);
  out.warning_ = fmt::format("{} is {}: writer numbers go on behind {}", out.file_,
                             missing ? "missing although the spool holds segments" : "damaged or older than the spool",
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
