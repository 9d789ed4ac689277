#include "common/storage/record.h"

#include "common/base/bytes.h"
#include "common/base/codec.h"

namespace holdfast::storage {
namespace {

constexpr std::string_view kMagic = "HOLDFREC";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kSummed = 56;  // bytes of the header before its checksum
constexpr std::uint64_t kMaxContentBytes = 1ULL << 40;

std::uint64_t head_sum(const base::HashKey& key, std::string_view header, std::string_view envelope) {
  base::SipHash hash(key);
  hash.update(header.substr(0, kSummed));
  hash.update(envelope);
  return hash.finish();
}

}  // namespace

base::Result<RecordHeader> RecordHeader::decode(std::string_view bytes) {
  base::Reader r(bytes);
  if (r.take(kMagic.size()) != kMagic) return base::fail(base::Kind::kData, "no record begins here");
  if (r.number<std::uint32_t>() != kVersion) return base::fail(base::Kind::kData, "the record's version is not known");
  RecordHeader h;
  h.envelope_length = r.number<std::uint32_t>();
  h.content_length = r.number<std::uint64_t>();
  h.id.value = r.number<std::uint64_t>();
  h.generation = r.number<std::uint32_t>();
  const auto reserved = r.number<std::uint32_t>();
  h.offset = r.number<std::uint64_t>();
  h.content_sum = r.number<std::uint64_t>();
  h.sum = r.number<std::uint64_t>();
  if (!r.ok() || reserved != 0 || h.envelope_length > kMaxEnvelopeBytes || h.content_length > kMaxContentBytes) {
    return base::fail(base::Kind::kData, "the record's header is damaged");
  }
  return h;
}

std::string encode_record_head(const base::HashKey& key, RecordHeader header, const mail::Envelope& envelope) {
  const std::string envelope_bytes = base::encode(envelope);
  std::string out(kMagic);
  out.reserve(kRecordHeaderBytes + envelope_bytes.size());
  base::Writer w(out);
  w.number(kVersion);
  w.number(static_cast<std::uint32_t>(envelope_bytes.size()));
  w.number(header.content_length);
  w.number(header.id.value);
  w.number(header.generation);
  w.number(std::uint32_t{0});
  w.number(header.offset);
  w.number(header.content_sum);
  w.number(head_sum(key, out, envelope_bytes));
  out += envelope_bytes;
  return out;
}

bool head_is_sound(const base::HashKey& key, std::string_view head, const RecordHeader& header) {
  if (head.size() != kRecordHeaderBytes + header.envelope_length) return false;
  return head_sum(key, head, head.substr(kRecordHeaderBytes)) == header.sum;
}

}  // namespace holdfast::storage
