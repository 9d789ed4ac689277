#include "qmgr/lifetime.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/base/panic.h"
#include "common/config/presets.h"
#include "qmgr/outcome_effect.h"

namespace holdfast::qmgr {
namespace {

using storage::MessageState;
using storage::QueueIndex;
using storage::RecipientStatus;

std::int64_t ms(base::Seconds s) { return s.count() * 1000; }

constexpr std::int64_t kLongAfterMs = 3'600'000, kGraceMs = 86'400'000;

// A day at least, or as long as new mail would have.
void give_time(storage::MessageRow& row, const QueueIndex::Plan& plan, std::int64_t now_ms) {
  const auto least = now_ms + std::min(plan.lifetime_ms, kGraceMs);
  if (row.expires_ms < least) {
    row.expires_ms = least;
    row.own_expiry = true;
  }
  if (row.warn_ms > 0 && row.warn_ms <= now_ms) row.warn_ms = storage::kWarned;
}

std::string expired_words(std::int64_t age_ms, const std::string& last_reply) {
  const auto age = base::spell(base::Seconds(age_ms / 1000));
  if (last_reply.empty()) return fmt::format("could not be delivered for {}, and is given up", age);
  return fmt::format("could not be delivered for {}, and is given up; the last answer was: {}", age, last_reply);
}

bool give_up(const storage::MessageRow& row, std::vector<storage::RecipientState>& recipients, std::int64_t now_ms) {
  bool any = false;
  for (auto& r : recipients) {
    if (r.status != RecipientStatus::kOpen) continue;
    r.status = RecipientStatus::kRefused;
    r.reply = expired_words(std::max<std::int64_t>(0, now_ms - row.arrival_ms), r.reply);
    r.dsn = kExpiredDsn;
    any = true;
  }
  return any;
}

}  // namespace

QueueIndex::Plan plan_of(const config::Config& config, std::string_view destination) {
  const auto* found = config.find_destination(destination);
  const bool warns = found == nullptr || found->early_warning;
  const auto* standard = config::find_preset("default");
  base::expect(standard != nullptr, "there is no default schedule");
  const auto& schedule = found != nullptr && !found->schedule.empty() ? found->schedule : standard->phases;
  return {.lifetime_ms = ms(schedule.back().until), .warn_ms = warns ? ms(config.delay_warning) : 0};
}

void begin_lifetime(storage::MessageRow& row, const config::Config& config, std::int64_t now_ms) {
  const auto plan = plan_of(config, row.destination);
  row.own_expiry = row.expires_ms > 0;
  if (!row.own_expiry) row.expires_ms = row.arrival_ms + plan.lifetime_ms;
  if (plan.warn_ms > 0 && !row.sender.empty()) row.warn_ms = row.arrival_ms + plan.warn_ms;
  row.due_ms = std::min(row.due_ms, now_ms);  // of a clock that was ahead
  if (now_ms - row.arrival_ms > kLongAfterMs) give_time(row, plan, now_ms);
}

void freeze(storage::MessageRow& row, std::string reason, std::int64_t now_ms, const config::Config& config) {
  row.state = MessageState::kFrozen;
  row.reason = std::move(reason);
  row.discard_ms = config.frozen_keep.count() > 0 ? now_ms + ms(config.frozen_keep) : 0;
}

Due meet_deadline(storage::MessageRow& row, std::vector<storage::RecipientState>& recipients, std::int64_t now_ms,
                  const config::Config& config) {
  if (const auto at = storage::deadline_ms(row); at == 0 || at > now_ms) return Due::kNothing;
  if (row.state == MessageState::kFrozen) return Due::kDiscard;
  if (row.expires_ms == 0 || row.expires_ms > now_ms) return Due::kWarn;
  row.warn_ms = 0;
  const bool any = give_up(row, recipients, now_ms);
  if (!any || !row.sender.empty()) {
    row.expires_ms = 0;
    row.due_ms = kNever;
    if (any) row.reason = "expired";
    return any ? Due::kExpired : Due::kSettled;
  }
  freeze(row, recipients.empty() ? "expired" : recipients.front().reply, now_ms, config);
  return Due::kFrozen;
}

bool replan(storage::MessageRow& row, const QueueIndex::Plan& plan, bool made_anew, std::int64_t now_ms) {
  const auto old = row;
  if (made_anew) row.own_expiry = row.expires_ms > 0 && row.expires_ms != row.arrival_ms + plan.lifetime_ms;
  const bool waits_for_report = row.state == MessageState::kDeferred && row.due_ms == kNever;
  if (!row.own_expiry && !waits_for_report) row.expires_ms = row.arrival_ms + plan.lifetime_ms;
  if (row.warn_ms != storage::kWarned && !row.sender.empty() && !waits_for_report) {
    row.warn_ms = plan.warn_ms > 0 ? row.arrival_ms + plan.warn_ms : 0;
  }
  if (made_anew && !waits_for_report && now_ms - row.arrival_ms > kLongAfterMs) give_time(row, plan, now_ms);
  return !(old == row);
}

}  // namespace holdfast::qmgr
