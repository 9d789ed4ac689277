#include "common/storage/segment.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include <fmt/format.h>

#include "common/base/bytes.h"

namespace holdfast::storage {
namespace {

constexpr std::string_view kMagic = "HOLDFSEG";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kSummed = 40;    // bytes before the checksum
constexpr std::size_t kHeader = 48;    // with it
constexpr std::size_t kCopyAt = 2048;  // in another sector: without its key a segment is lost

std::optional<std::uint32_t> hex(std::string_view s) {
  std::uint32_t value = 0;
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), value, 16);
  if (ec != std::errc() || end != s.data() + s.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string SegmentId::file_name() const { return fmt::format("{:06X}-{:08X}.seg", writer, number); }

std::optional<SegmentId> SegmentId::parse(std::string_view file_name) {
  if (file_name.size() != 19) return std::nullopt;
  const auto writer = hex(file_name.substr(0, 6)), number = hex(file_name.substr(7, 8));
  if (!writer || !number) return std::nullopt;
  const SegmentId id{*writer, *number};
  if (id.file_name() != file_name) return std::nullopt;
  return id;
}

std::string SegmentHeader::encode() const {
  std::string out(kMagic);
  base::Writer w(out);
  w.number(kVersion);
  w.number(id.writer);
  w.number(id.number);
  w.number(static_cast<std::uint32_t>(owner));
  w.number(key[0]);
  w.number(key[1]);
  w.number(base::siphash(key, out));
  const std::string header = out;
  out.resize(kBlock, '\0');
  out.replace(kCopyAt, header.size(), header);
  return out;
}

base::Result<SegmentHeader> SegmentHeader::decode(std::string_view block) {
  const auto first = decode_one(block.substr(0, kHeader));
  if (first || block.size() < kCopyAt + kHeader) return first;
  const auto copy = decode_one(block.substr(kCopyAt, kHeader));
  return copy ? copy : first;
}

base::Result<SegmentHeader> SegmentHeader::decode_one(std::string_view block) {
  base::Reader r(block);
  if (r.take(kMagic.size()) != kMagic) return base::fail(base::Kind::kData, "not a segment");
  if (const auto version = r.number<std::uint32_t>(); version != kVersion) {
    return base::fail(base::Kind::kData, fmt::format("segment version {} is not known", version));
  }
  SegmentHeader header;
  header.id.writer = r.number<std::uint32_t>();
  header.id.number = r.number<std::uint32_t>();
  header.owner = static_cast<SegmentOwner>(r.number<std::uint32_t>());
  header.key = {r.number<std::uint64_t>(), r.number<std::uint64_t>()};
  const auto sum = r.number<std::uint64_t>();
  if (!r.ok() || sum != base::siphash(header.key, block.substr(0, kSummed))) {
    return base::fail(base::Kind::kData, "the segment's header is damaged");
  }
  return header;
}

std::string segments_folder(const std::string& spool) { return spool + "/segments"; }
std::string corrupt_folder(const std::string& spool) { return spool + "/corrupt"; }
std::string rescan_folder(const std::string& spool) { return spool + "/rescan"; }

base::Result<std::vector<SegmentId>> list_segments(const std::string& folder) {
  std::error_code ec;
  std::vector<SegmentId> out;
  std::filesystem::directory_iterator it(folder, ec);
  for (; !ec && it != std::filesystem::directory_iterator(); it.increment(ec)) {
    if (const auto id = SegmentId::parse(it->path().filename().string())) out.push_back(*id);
  }
  if (ec) return base::fail_errno(folder, ec.value());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace holdfast::storage
