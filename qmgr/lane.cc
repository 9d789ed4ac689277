#include "qmgr/lane.h"

#include <algorithm>
#include <utility>

#include "common/base/panic.h"

namespace holdfast::qmgr {
namespace {

using mail::DestinationState;
using mail::QueueId;

constexpr std::uint64_t kCanarySize = 100 << 10;
constexpr std::size_t kFirstStep = 5;
constexpr std::size_t kDifferent = 3;      // canaries, or recipients or senders refused in a row
constexpr std::size_t kMostSuspects = 10;
constexpr std::size_t kFewLeft = 100;
constexpr std::size_t kMostFailed = 90;    // fewer than kFewLeft: a window has always one that has not failed
constexpr base::Millis kAfter4xx{15'000};
constexpr base::Millis kAfterFailure{5'000};

bool good_canary(Sign sign) {
  return sign == Sign::kAccepted || sign == Sign::kTempFailed || sign == Sign::kTempRecipient ||
         sign == Sign::kRefusedOther;
}

// Two failed canaries of the same name are one as far as the destination is concerned.
std::string failure_name(QueueId id, const Assessment& o) {
  if (o.sign == Sign::kRefusedKnown && !o.after_rcpt && !o.refused_known.empty()) return "to " + o.refused_known.front();
  if (o.sign == Sign::kRefusedSender) return "from " + o.sender;
  return id.text();
}

}  // namespace

std::vector<Settled> Lane::set_state(DestinationState state, std::int64_t since_ms) {
  if (state == state_ && since_ms == since_ms_) return {};
  const bool was_stopped = phase_ == Phase::kStopped;
  const DestinationState was = state_;
  state_ = state;
  since_ms_ = since_ms;
  if (state == DestinationState::kUp && !was_stopped && was == DestinationState::kDraining) {
    if (phase_ == Phase::kCanary) start_flowing();  // nothing was left to try; a brake stays on
    return {};
  }
  auto settled = settle_suspects(Treatment::kSpare);
  drop_window();
  failures_.clear();
  any_accepted_ = false;
  wait_until_ = {};
  wait_ = base::Millis(0);
  reason_.clear();
  switch (state) {
    case DestinationState::kUp: start_flowing(); break;
    case DestinationState::kDraining: phase_ = Phase::kCanary; break;
    case DestinationState::kDown:
    case DestinationState::kPaused: phase_ = Phase::kStopped; break;
  }
  return settled;
}

void Lane::drop_window() {
  window_.clear();
  windowed_.clear();
  more_ = false;
  exhausted_ = false;
}

bool Lane::in_window(QueueId id) const { return windowed_.contains(id); }

bool Lane::wants_refill() const {
  if (phase_ == Phase::kStopped || exhausted_) return false;
  return window_.size() < kFewLeft && (more_ || window_.empty());
}

void Lane::refill(std::vector<Candidate> candidates, bool more) {
  more_ = more;
  exhausted_ = !more;
  for (auto& c : candidates) {
    base::expect(windowed_.insert(c.id).second, "a message is in the window twice");
    window_.push_back(c);
  }
}

std::size_t Lane::ceiling() const {
  const int share = state_ == DestinationState::kUp ? limits_.max_connections / 4 : limits_.max_connections / 2;
  return static_cast<std::size_t>(std::max(1, share));
}

std::size_t Lane::limit() const {
  switch (phase_) {
    case Phase::kStopped: return 0;
    case Phase::kCanary:
    case Phase::kBraked: return 1;
    case Phase::kFlowing: return std::min(step_, ceiling());
  }
  return 0;
}

void Lane::start_flowing() {
  phase_ = Phase::kFlowing;
  step_ = kFirstStep;
  successes_ = 0;
}

// The oldest that is small and has not failed before; else the smallest that has not; else the one that
// failed longest ago.
std::optional<Candidate> Lane::take_canary() {
  auto best = window_.end();
  for (auto it = window_.begin(); it != window_.end(); ++it) {
    if (failed_canaries_.contains(it->id)) continue;
    if (it->size < kCanarySize) {
      best = it;
      break;
    }
    if (best == window_.end() || it->size < best->size) best = it;
  }
  if (best == window_.end() && more_) return std::nullopt;
  if (best == window_.end()) best = window_.begin();
  if (best == window_.end()) return std::nullopt;
  const Candidate out = *best;
  window_.erase(best);
  return out;
}

std::optional<Lane::Pick> Lane::next(base::Mono now) {
  if (phase_ == Phase::kStopped || now < wait_until_ || active_.size() >= limit() || window_.empty()) return std::nullopt;
  Pick pick;
  if (phase_ == Phase::kFlowing) {
    pick.message = window_.front();
    window_.pop_front();
  } else {
    const auto canary = take_canary();
    if (!canary) return std::nullopt;
    pick = {*canary, true};
    canary_ = canary->id;
  }
  windowed_.erase(pick.message.id);
  active_.insert(pick.message.id);
  return pick;
}

void Lane::drop(QueueId id) {
  active_.erase(id);
  if (canary_ == id) canary_.reset();
}

void Lane::give_back(QueueId id) {
  drop(id);
  touch();
}

std::vector<Settled> Lane::finished(QueueId id, const Assessment& o, base::Mono now) {
  active_.erase(id);
  touch();
  if (canary_ == id) {
    canary_.reset();
    if (phase_ == Phase::kCanary || phase_ == Phase::kBraked) return canary_finished(id, o, now);
  }
  return flowing_finished(id, o, now);
}

Lane::Settlement Lane::canary_finished(QueueId id, const Assessment& o, base::Mono now) {
  if (o.sign == Sign::kNone) {
    if (phase_ == Phase::kBraked) wait_until_ = now + limits_.probe_interval;
    return {{id, Treatment::kAsIs}};
  }
  if (!good_canary(o.sign)) return canary_failed(id, o, now);
  if (phase_ == Phase::kBraked) events_.push_back({ipc::DrainEvent::kCanaryAccepted, {}});
  reason_.clear();
  failed_canaries_.clear();
  failures_.clear();
  start_flowing();
  if (o.sign == Sign::kAccepted) accepted();
  if (o.sign == Sign::kTempFailed) back_off(kAfter4xx, now);
  if (o.sign != Sign::kRefusedOther) return {{id, Treatment::kAsIs}};
  suspects_.push_back({id, o});
  return {};
}

Lane::Settlement Lane::canary_failed(QueueId id, const Assessment& o, base::Mono now) {
  if (o.sign == Sign::kRefusedSession && phase_ == Phase::kCanary) {
    auto settled = brake(o.reason, now);
    settled.push_back({id, Treatment::kUntouched});
    return settled;
  }
  reason_ = o.reason;
  const bool about_message = o.sign != Sign::kNoSession && o.sign != Sign::kRefusedSession;
  if (about_message) {
    if (failed_canaries_.size() >= kMostFailed) failed_canaries_.clear();
    failed_canaries_.insert(id);
    failures_.insert(failure_name(id, o));
  }
  if (phase_ == Phase::kBraked) {
    wait_until_ = now + limits_.probe_interval;
  } else if (failures_.size() >= kDifferent) {
    phase_ = Phase::kStopped;
    events_.push_back({ipc::DrainEvent::kFailed, o.reason});
  } else {
    const bool others = more_ || std::any_of(window_.begin(), window_.end(), [&](const Candidate& c) {
      return !failed_canaries_.contains(c.id);
    });
    // Its content alone is refused and there is no other to compare it with: the session was good.
    if (!others && o.sign == Sign::kRefusedKnown && o.after_rcpt) return {{id, Treatment::kAsIs}};
    if (!about_message || o.sign == Sign::kClosing) back_off(kAfterFailure, now);
    else if (!others) back_off(kAfter4xx, now);
  }
  switch (o.sign) {
    case Sign::kNoSession:
    case Sign::kRefusedSession: return {{id, Treatment::kUntouched}};
    case Sign::kLost: return {{id, Treatment::kAsIs}};  // counted: the third time it is held
    default: return {{id, Treatment::kSpare}};
  }
}

void Lane::accepted() {
  any_accepted_ = true;
  wait_ = base::Millis(0);
  if (phase_ == Phase::kFlowing && ++successes_ >= step_) {
    step_ = std::min(step_ * 2, ceiling());
    step_ = std::max(step_, std::size_t{1});
    successes_ = 0;
  }
}

Lane::Settlement Lane::flowing_finished(QueueId id, const Assessment& o, base::Mono now) {
  const bool doubtful = phase_ == Phase::kBraked || phase_ == Phase::kStopped || phase_ == Phase::kCanary;
  switch (o.sign) {
    case Sign::kAccepted: {
      accepted();
      auto settled = settle_suspects(doubtful ? Treatment::kSpare : Treatment::kAsIs);
      settled.push_back({id, Treatment::kAsIs});
      return settled;
    }
    case Sign::kTempFailed:
      if (state_ == DestinationState::kDraining) back_off(kAfter4xx, now);
      return {{id, Treatment::kAsIs}};
    case Sign::kTempRecipient:
    case Sign::kNone:
    case Sign::kLost: return {{id, Treatment::kAsIs}};
    case Sign::kClosing:
      back_off(kAfterFailure, now);
      return {{id, Treatment::kSpare}};
    case Sign::kNoSession:
      back_off(kAfterFailure, now);
      return {{id, Treatment::kUntouched}};
    case Sign::kRefusedSession: {
      auto settled = phase_ == Phase::kFlowing ? brake(o.reason, now) : Settlement{};
      settled.push_back({id, Treatment::kUntouched});
      return settled;
    }
    case Sign::kRefusedKnown:
    case Sign::kRefusedOther:
    case Sign::kRefusedSender: break;
  }
  if (doubtful) return {{id, Treatment::kSpare}};
  suspects_.push_back({id, o});
  return burst() ? brake(o.reason, now) : Settlement{};
}

bool Lane::burst() const {
  std::set<std::string> recipients, senders;
  for (const auto& s : suspects_) {
    if (s.outcome.sign == Sign::kRefusedSender) senders.insert(s.outcome.sender);
    else recipients.insert(s.outcome.refused.begin(), s.outcome.refused.end());
  }
  return senders.size() >= kDifferent || recipients.size() >= kDifferent || suspects_.size() >= kMostSuspects;
}

Lane::Settlement Lane::brake(const std::string& reason, base::Mono now) {
  phase_ = Phase::kBraked;
  reason_ = reason;
  wait_until_ = now + limits_.probe_interval;
  events_.push_back({ipc::DrainEvent::kBrake, reason});
  return settle_suspects(Treatment::kSpare);
}

Lane::Settlement Lane::settle_suspects(Treatment how) {
  Settlement out;
  for (const auto& s : suspects_) out.push_back({s.id, how});
  suspects_.clear();
  return out;
}

Lane::Settlement Lane::settle_if_idle(base::Mono now) {
  if (suspects_.empty() || !active_.empty() || !window_.empty() || !exhausted_) return {};
  const bool all_forgotten = std::all_of(suspects_.begin(), suspects_.end(),
                                         [](const Suspect& s) { return s.outcome.sign == Sign::kRefusedOther; });
  if (state_ == DestinationState::kUp || any_accepted_ || all_forgotten) return settle_suspects(Treatment::kAsIs);
  return brake(suspects_.back().outcome.reason, now);
}

// Jobs that were under way when the wait began do not lengthen it.
void Lane::back_off(base::Millis first, base::Mono now) {
  if (now < wait_until_) return;
  wait_ = wait_.count() == 0 ? std::min(first, limits_.probe_interval) : std::min(wait_ * 2, limits_.probe_interval);
  wait_until_ = now + wait_;
}

std::optional<base::Mono> Lane::wake_at() const {
  if (phase_ == Phase::kStopped || wait_until_ == base::Mono{}) return std::nullopt;
  return wait_until_;
}

bool Lane::drained() const {
  const bool going = phase_ == Phase::kCanary || phase_ == Phase::kFlowing;
  return state_ == DestinationState::kDraining && going && exhausted_ && window_.empty() && active_.empty() &&
         suspects_.empty();
}

}  // namespace holdfast::qmgr
