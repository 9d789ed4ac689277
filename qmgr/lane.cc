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
constexpr std::size_t kMostAvoided = 90;   // fewer than kFewLeft: a window has always one that has not failed
constexpr std::size_t kMostForgotten = 100;
constexpr std::size_t kBelievedAfter = 3;  // failures, and
constexpr int kBelievedIntervals = 30;     // of probes: an hour by default, long after prober has had its say
constexpr base::Millis kAfter4xx{15'000};
constexpr base::Millis kAfterFailure{5'000};

bool good_canary(Sign sign) {
  return sign == Sign::kAccepted || sign == Sign::kTempFailed || sign == Sign::kTempRecipient ||
         sign == Sign::kRefusedOther;
}

// Two failed canaries of the same name are one as far as the destination is concerned.
std::string failure_name(QueueId id, const Assessment& o) {
  if (o.sign == Sign::kRefusedKnown && !o.after_rcpt && !o.refused_known.empty())
    return "to " + o.refused_known.front();
  if (o.sign == Sign::kRefusedSender) return "from " + o.sender;
  return id.text();
}

}  // namespace

std::string_view Lane::to_text(Phase phase) {
  switch (phase) {
    case Phase::kStopped: return "stopped";
    case Phase::kCanary: return "canary";
    case Phase::kFlowing: return "flowing";
    case Phase::kBraked: return "braked";
  }
  return "stopped";
}

std::vector<Settled> Lane::set_state(DestinationState state, std::int64_t since_ms) {
  if (state == state_ && since_ms == since_ms_) return {};
  const bool was_stopped = phase_ == Phase::kStopped;
  const DestinationState was = state_;
  state_ = state;
  since_ms_ = since_ms;
  if (state == DestinationState::kUp && !was_stopped && was == DestinationState::kDraining) {
    if (phase_ == Phase::kCanary) start_flowing();  // nothing was left to try
    if (phase_ == Phase::kBraked) events_.push_back({ipc::DrainEvent::kBrake, reason_});  // it stays on
    return {};
  }
  auto settled = settle_suspects(Treatment::kSpare);
  drop_window();
  failed_.clear();
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
  if (!limits_.judged) return static_cast<std::size_t>(std::max(1, limits_.max_connections));
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
    if (avoided_.contains(it->id)) continue;
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
  if (phase_ == Phase::kStopped || now < wait_until_ || active_.size() >= limit() || window_.empty())
    return std::nullopt;
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

void Lane::adopt(QueueId id) {
  active_.insert(id);
  if (windowed_.erase(id) > 0) std::erase_if(window_, [&](const Candidate& c) { return c.id == id; });
}

void Lane::give_back(QueueId id) {
  drop(id);
  touch();
}

std::vector<Settled> Lane::finished(QueueId id, const Assessment& o, base::Mono now) {
  active_.erase(id);
  touch();
  if (!limits_.judged) return own_affair(id, o, now);
  if (canary_ == id) {
    canary_.reset();
    if (phase_ == Phase::kCanary || phase_ == Phase::kBraked) return canary_finished(id, o, now);
  }
  return flowing_finished(id, o, now);
}

Lane::Settlement Lane::own_affair(QueueId id, const Assessment& o, base::Mono now) {
  if (o.sign == Sign::kNone) {
    back_off(kAfterFailure, now);
    return {{id, Treatment::kUntouched}};
  }
  if (o.sign == Sign::kAccepted) accepted();
  return {{id, Treatment::kAsIs}};
}

Lane::Settlement Lane::canary_finished(QueueId id, const Assessment& o, base::Mono now) {
  if (o.sign == Sign::kNone || o.sign == Sign::kDamaged || o.sign == Sign::kOwnVerdict) return flowing_finished(id, o, now);
  if (!good_canary(o.sign)) return canary_failed(id, o, now);
  avoided_.clear();
  failed_.clear();
  failures_.clear();
  all_clear();
  start_flowing();
  if (o.sign != Sign::kRefusedOther) return flowing_finished(id, o, now);
  suspects_.push_back({id, o});
  return {};
}

// It has had its chances, and there is nothing to compare it with.
bool Lane::believed(QueueId id, base::Mono now) const {
  const bool others = more_ || std::any_of(window_.begin(), window_.end(),
                                           [&](const Candidate& c) { return !failed_.contains(c.id); });
  const auto& f = failed_.at(id);
  return !others && f.count >= kBelievedAfter && now - f.first >= kBelievedIntervals * limits_.probe_interval;
}

Lane::Settlement Lane::canary_failed(QueueId id, const Assessment& o, base::Mono now) {
  if (o.sign == Sign::kRefusedSession && phase_ == Phase::kCanary) {
    auto settled = brake(o.reason, now);
    settled.push_back({id, Treatment::kUntouched});
    return settled;
  }
  say_why(o.reason);
  if (o.sign == Sign::kNoSession || o.sign == Sign::kRefusedSession) {
    if (phase_ == Phase::kBraked) wait_until_ = now + limits_.probe_interval;
    else back_off(kAfterFailure, now);
    return {{id, Treatment::kUntouched}};
  }
  if (avoided_.size() >= kMostAvoided) avoided_.clear();
  avoided_.insert(id);
  failures_.insert(failure_name(id, o));
  auto& failed = failed_[id];
  if (failed.count++ == 0) failed.first = now;
  const bool again = failed.count > 1;
  if (phase_ == Phase::kBraked) {
    wait_until_ = now + limits_.probe_interval;
  } else if (failures_.size() >= kDifferent) {
    phase_ = Phase::kStopped;
    events_.push_back({ipc::DrainEvent::kFailed, o.reason});
    return {{id, Treatment::kSpare}};
  } else if (o.sign == Sign::kClosing) {
    back_off(kAfterFailure, now);
  } else if (again || (window_.empty() && !more_)) {
    back_off(kAfter4xx, now);
  }
  return {{id, believed(id, now) ? Treatment::kAsIs : Treatment::kSpare}};
}

void Lane::say_why(const std::string& reason) {
  if (reason_ == reason || state_ != DestinationState::kDraining) {
    reason_ = reason;
    return;
  }
  reason_ = reason;
  events_.push_back({ipc::DrainEvent::kBrake, reason});
}

void Lane::all_clear() {
  if (reason_.empty()) return;
  reason_.clear();
  events_.push_back({ipc::DrainEvent::kCanaryAccepted, {}});
}

void Lane::accepted() {
  any_accepted_ = true;
  if (phase_ == Phase::kFlowing) all_clear();
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
      if (state_ == DestinationState::kDraining) {
        say_why(o.reason);
        back_off(kAfter4xx, now);
      }
      return {{id, Treatment::kAsIs}};
    case Sign::kTempRecipient:
    case Sign::kOwnVerdict:
    case Sign::kDamaged: return {{id, Treatment::kAsIs}};
    case Sign::kNone:
      if (phase_ == Phase::kBraked) wait_until_ = now + limits_.probe_interval;
      back_off(kAfterFailure, now);
      return {{id, Treatment::kUntouched}};
    case Sign::kClosing:
      say_why(o.reason);
      back_off(kAfterFailure, now);
      return {{id, Treatment::kSpare}};
    case Sign::kNoSession:
      say_why(o.reason);
      back_off(kAfterFailure, now);
      return {{id, Treatment::kUntouched}};
    case Sign::kRefusedSession: {
      auto settled = phase_ == Phase::kFlowing ? brake(o.reason, now) : Settlement{};
      settled.push_back({id, Treatment::kUntouched});
      return settled;
    }
    case Sign::kRefusedKnown:
    case Sign::kRefusedOther:
    case Sign::kRefusedSender:
    case Sign::kLost: break;
  }
  if (doubtful) return {{id, Treatment::kSpare}};
  suspects_.push_back({id, o});
  if (burst()) return brake(o.reason, now);
  if (lost_in_a_row() >= kDifferent) {
    say_why(o.reason);
    back_off(kAfterFailure, now);
    return settle_suspects(Treatment::kSpare);
  }
  return suspects_.size() >= kMostForgotten ? settle_suspects(Treatment::kAsIs) : Settlement{};
}

std::size_t Lane::lost_in_a_row() const {
  return static_cast<std::size_t>(std::count_if(suspects_.begin(), suspects_.end(),
                                                [](const Suspect& s) { return s.outcome.sign == Sign::kLost; }));
}

bool Lane::burst() const {
  std::set<std::string> recipients, senders;
  std::size_t refused = 0;
  for (const auto& s : suspects_) {
    if (s.outcome.sign == Sign::kRefusedSender) senders.insert(s.outcome.sender);
    recipients.insert(s.outcome.refused_known.begin(), s.outcome.refused_known.end());
    if (s.outcome.sign == Sign::kRefusedSender || s.outcome.sign == Sign::kRefusedKnown) ++refused;
  }
  return senders.size() >= kDifferent || recipients.size() >= kDifferent || refused >= kMostSuspects;
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
