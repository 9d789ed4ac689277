#include "prober/learning.h"

#include "common/mail/address.h"

namespace holdfast::prober {
namespace {

constexpr std::int64_t kDayMs = 86400'000;
constexpr std::int64_t kDaysKept = 7;

bool learnable(const ipc::LearntRecipient& what, const std::optional<storage::RecipientRow>& row,
               const Surroundings& around) {
  if (what.destination != around.destination || around.catch_all == storage::CatchAll::kYes) return false;
  if (row && row->source != storage::RecipientSource::kLearnt) return false;
  const auto address = mail::parse_address(what.key);
  return address && !mail::is_one_time_address(*address) && what.key.size() <= storage::kMaxRecipientKey;
}

// A row that says so already, from this very hour.
bool fresh(const storage::RecipientRow& row, const Surroundings& around) {
  const std::int64_t age = around.now_ms - row.verified_ms;
  return row.destination == around.destination && row.refused_ms == 0 && age >= 0 && age < kRefreshMs;
}

}  // namespace

Lesson learn(const ipc::LearntRecipient& what, const std::optional<storage::RecipientRow>& row,
             const Surroundings& around) {
  Lesson lesson;
  const bool said_by_admin = around.local || (row && row->source == storage::RecipientSource::kLocal);
  const bool can = learnable(what, row, around);
  const bool learnt = can && row && row->destination == around.destination;
  lesson.covered = said_by_admin || learnt || (can && what.refresh);
  // A refusal on record is withdrawn even by an acceptance that is no news otherwise.
  if (!can || (row && fresh(*row, around))) return lesson;
  if (!what.refresh && !(learnt && row->refused_ms != 0)) return lesson;

  storage::RecipientRow next = learnt ? *row : storage::RecipientRow{.learnt_ms = around.now_ms};
  next.destination = around.destination;
  next.verified_ms = around.now_ms;
  next.downtime_at_verify_ms = around.downtime_ms;
  next.refused_ms = 0;
  lesson.write = std::move(next);
  return lesson;
}

void count_coverage(storage::DomainRow& row, std::int64_t now_ms, std::uint64_t accepted, std::uint64_t covered) {
  const std::int64_t today = now_ms / kDayMs;
  std::erase_if(row.coverage, [&](const storage::CoverageDay& d) { return d.day <= today - kDaysKept; });
  if (row.coverage.empty() || row.coverage.back().day != today) row.coverage.push_back({.day = today});
  row.coverage.back().accepted += accepted;
  row.coverage.back().covered += covered;
}

}  // namespace holdfast::prober
