#include "common/storage/new_message.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/storage/keys.h"

namespace holdfast::storage {

MessageRow first_row(const Record& record) {
  return first_row(record.envelope(), record.ref(), record.header().generation, record.content_size());
}

MessageRow first_row(const mail::Envelope& envelope, const mail::RecordRef& ref, std::uint32_t generation,
                     std::uint64_t size) {
  MessageRow row;
  row.record = ref;
  row.generation = generation;
  row.size = size;
  row.sender = envelope.sender;
  row.destination = envelope.destination;
  row.arrival_ms = envelope.arrival_ms;
  row.due_ms = envelope.arrival_ms;
  row.open = static_cast<std::uint32_t>(envelope.recipients.size());
  row.unfiltered = envelope.unfiltered;
  row.domains = recipient_domains(envelope);
  row.expires_ms = envelope.expires_ms;
  row.report_of = envelope.report_of;
  if (!envelope.hold.empty()) {
    row.state = MessageState::kHeld;
    row.reason = envelope.hold;
  }
  return row;
}

std::vector<RecipientState> first_recipients(const mail::Envelope& envelope) {
  std::vector<RecipientState> out;
  for (const auto& r : envelope.recipients) {
    out.push_back({.address = r.address, .known = r.known, .status = RecipientStatus::kOpen, .reply = {}, .dsn = {}});
  }
  return out;
}

std::vector<std::string> recipient_domains(const mail::Envelope& envelope) {
  std::vector<std::string> out;
  for (const auto& r : envelope.recipients) {
    const auto at = r.address.rfind('@');
    if (at == std::string::npos || at + 1 == r.address.size()) continue;
    out.push_back(base::to_lower(r.address.substr(at + 1, kMaxKeyName - 1)));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace holdfast::storage
