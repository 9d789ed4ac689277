// Puts messages into the spool as smtpd does, in segments of our own: import and selftest. A message is kept once
// sync() has gone well, and not before. Without qmgr they are found at its next start; without master there is no
// writer number, and so nothing is written.
#pragma once

#include <cstdint>
#include <memory>

#include "common/base/error.h"
#include "common/mail/envelope.h"
#include "common/mail/queue_id.h"
#include "common/storage/content.h"
#include "common/storage/segment_writer.h"
#include "gatewayctl/invocation.h"

namespace holdfast::gatewayctl {

class HandIn {
 public:
  // Asks master for a writer number. `gateway` must outlive this.
  static base::Result<HandIn> open(const Gateway& gateway);
  HandIn(HandIn&&) noexcept = default;
  // Gives the segment up: whoever holds its lock next, qmgr, reads it to its end. What was not synced may be kept or
  // not.
  ~HandIn() = default;

  mail::QueueId next_id() { return mail::QueueId::make(writer_, ++sequence_); }
  // kNoSpace when that would go under the reserve (spool.reserve). The content gets no Received field here.
  base::Status add(mail::QueueId id, const mail::Envelope& envelope, const storage::Content& content);
  // All that was added is durable, and qmgr is told. On failure nothing of it since the last sync is kept.
  base::Status sync();
  // The same, and this segment ends.
  base::Status close();

 private:
  HandIn(const Gateway& gateway, std::uint32_t writer) : gateway_(&gateway), writer_(writer) {}
  base::Status make_room(std::uint64_t length);
  void tell(bool sealed);

  const Gateway* gateway_;
  std::uint32_t writer_ = 0, next_segment_ = 1;
  std::uint64_t sequence_ = 0;
  std::unique_ptr<storage::SegmentWriter> segment_;
};

}  // namespace holdfast::gatewayctl
