// One record of a segment: header, envelope, content; docs/spool-format.md describes every byte. Nothing
// here touches a file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/base/siphash.h"
#include "common/mail/envelope.h"
#include "common/mail/queue_id.h"

namespace holdfast::storage {

inline constexpr std::size_t kRecordHeaderBytes = 64;
inline constexpr std::uint32_t kMaxEnvelopeBytes = 8 << 20;

struct RecordHeader {
  mail::QueueId id;
  std::uint32_t generation = 0;
  std::uint32_t envelope_length = 0;
  std::uint64_t content_length = 0;
  std::uint64_t content_sum = 0;  // SipHash over the content
  std::uint64_t offset = 0;       // its own place in the segment
  std::uint64_t sum = 0;          // SipHash over the header before it, and the envelope

  std::uint64_t length() const { return kRecordHeaderBytes + envelope_length + content_length; }

  // Magic, version and bounds only; kData when they are wrong.
  static base::Result<RecordHeader> decode(std::string_view bytes);
};

// Header (its sum filled in) and envelope, ready to be written before the content.
std::string encode_record_head(const base::HashKey& key, RecordHeader header, const mail::Envelope& envelope);

// True when `head` (header and envelope, together) carries its own checksum.
bool head_is_sound(const base::HashKey& key, std::string_view head, const RecordHeader& header);

}  // namespace holdfast::storage
