#include <algorithm>

#include "common/base/text.h"
#include "common/storage/queue_index.h"

namespace holdfast::storage {

std::string_view to_text(MessageState state) {
  switch (state) {
    case MessageState::kDeferred: return "deferred";
    case MessageState::kHeld: return "held";
    case MessageState::kFrozen: return "frozen";
  }
  return "deferred";
}

std::optional<MessageState> parse_message_state(std::string_view text) {
  for (const auto state : {MessageState::kDeferred, MessageState::kHeld, MessageState::kFrozen}) {
    if (text == to_text(state)) return state;
  }
  return std::nullopt;
}

void SegmentRow::add_damage(const Damage& place) {
  if (std::find(damage.begin(), damage.end(), place) != damage.end()) return;
  if (damage.size() < kMostDamage) return damage.push_back(place);
  auto& last = damage.back();
  last = {.offset = last.offset,
          .length = std::max(last.offset + last.length, place.offset + place.length) - last.offset};
}

std::int64_t deadline_ms(const MessageRow& row) {
  switch (row.state) {
    case MessageState::kHeld: return 0;
    case MessageState::kFrozen: return row.discard_ms;
    case MessageState::kDeferred: break;
  }
  if (row.warn_ms <= 0 || row.expires_ms == 0) return std::max<std::int64_t>({row.warn_ms, row.expires_ms, 0});
  return std::min(row.warn_ms, row.expires_ms);
}

std::string_view to_text(RecipientStatus status) {
  switch (status) {
    case RecipientStatus::kOpen: return "open";
    case RecipientStatus::kSent: return "sent";
    case RecipientStatus::kRefused: return "refused";
    case RecipientStatus::kReported: return "reported";
  }
  return "open";
}

}  // namespace holdfast::storage
