#include <algorithm>

#include "common/base/panic.h"
#include "common/storage/directory.h"

namespace holdfast::storage {
namespace {

constexpr std::int64_t kDayMs = 86400LL * 1000;

}  // namespace

std::string_view to_text(HandWord word) {
  switch (word) {
    case HandWord::kAuto: return "auto";
    case HandWord::kBypass: return "on";
    case HandWord::kAsk: return "off";
  }
  base::panic("a word that is none");
}

std::optional<HandWord> parse_hand_word(std::string_view text) {
  for (const auto word : {HandWord::kAuto, HandWord::kBypass, HandWord::kAsk}) {
    if (text == to_text(word)) return word;
  }
  return std::nullopt;
}

std::string_view to_text(RecipientSource source) {
  switch (source) {
    case RecipientSource::kLearnt: return "learnt";
    case RecipientSource::kLocal: return "local";
    case RecipientSource::kDenied: return "denied";
  }
  return "learnt";
}

std::int64_t DestinationRow::downtime_ms(std::int64_t now_ms) const {
  const std::int64_t running = down_since_ms > 0 ? std::max<std::int64_t>(0, now_ms - down_since_ms) : 0;
  return downtime_total_ms + running;
}

std::int64_t expires_ms(const RecipientRow& row, const DestinationRow* destination, std::int64_t now_ms,
                        const KeepRule& rule) {
  if (row.source != RecipientSource::kLearnt) return 0;
  std::int64_t slept = 0;
  if (!rule.count_downtime && destination != nullptr) {
    slept = std::max<std::int64_t>(0, destination->downtime_ms(now_ms) - row.downtime_at_verify_ms);
  }
  return row.verified_ms + rule.keep_ms + slept;
}

Standing standing(const RecipientRow& row, std::string_view destination_name, const DestinationRow* destination,
                  const DomainRow* domain, std::int64_t now_ms, const KeepRule& rule) {
  switch (row.source) {
    case RecipientSource::kLocal: return Standing::kKnown;
    case RecipientSource::kDenied: return Standing::kDenied;
    case RecipientSource::kLearnt: break;
  }
  const bool catch_all =
      domain != nullptr && domain->destination == destination_name && domain->catch_all == CatchAll::kYes;
  if (catch_all || row.destination != destination_name) return Standing::kUnknown;
  return now_ms < expires_ms(row, destination, now_ms, rule) ? Standing::kKnown : Standing::kUnknown;
}

mail::DestinationState effective_state(const DestinationRow& row, std::int64_t now_ms, std::int64_t interval_ms) {
  if (row.state == mail::DestinationState::kPaused) return row.state;
  const bool stale = now_ms - row.confirmed_ms > 3 * interval_ms;
  return stale ? mail::DestinationState::kUp : row.state;
}

std::optional<int> coverage_percent(const DomainRow& row, std::int64_t now_ms) {
  std::uint64_t accepted = 0, covered = 0;
  for (const auto& day : row.coverage) {
    if (day.day <= now_ms / kDayMs - 7) continue;
    accepted += day.accepted;
    covered += day.covered;
  }
  if (accepted == 0) return std::nullopt;
  return static_cast<int>(100 * std::min(covered, accepted) / accepted);
}

}  // namespace holdfast::storage
