#include "alertd/alert_book.h"

#include <algorithm>
#include <utility>

#include "common/base/panic.h"
#include "common/config/alert_kinds.h"

namespace holdfast::alertd {
namespace {

bool lasting(const Alert& alert) {
  const auto* kind = config::find_alert_kind(alert.kind);
  return kind != nullptr && kind->lasting;
}

}  // namespace

std::string_view to_text(What what) {
  switch (what) {
    case What::kOpened: return "opened";
    case What::kRepeated: return "repeated";
    case What::kFlapping: return "flapping";
    case What::kCalm: return "calm";
    case What::kCleared: return "cleared";
    case What::kTest: return "test";
    case What::kReport: return "report";
  }
  base::panic("a notice of no kind");
}

void AlertBook::restore(std::vector<Alert> alerts, std::vector<Silence> silences) {
  for (auto& alert : alerts) {
    if (config::find_alert_kind(alert.kind) == nullptr) continue;  // of a later version
    last_id_ = std::max(last_id_, alert.id);
    by_name_[{alert.kind, alert.subject}] = alert.id;
    alerts_.insert_or_assign(alert.id, std::move(alert));
  }
  for (auto& silence : silences) silences_.insert_or_assign(silence.what, silence);
}

Alert* AlertBook::get(std::string_view kind, std::string_view subject) {
  const auto found = by_name_.find({std::string(kind), std::string(subject)});
  return found == by_name_.end() ? nullptr : &alerts_.at(found->second);
}

const Alert* AlertBook::find(std::uint64_t id) const {
  const auto found = alerts_.find(id);
  return found == alerts_.end() ? nullptr : &found->second;
}

const Alert* AlertBook::find(std::string_view kind, std::string_view subject) const {
  return const_cast<AlertBook*>(this)->get(kind, subject);
}

Alert& AlertBook::add(std::string_view kind, std::string_view subject, std::int64_t now_ms, std::int64_t since_ms) {
  Alert alert;
  alert.id = ++last_id_;
  alert.kind = kind;
  alert.subject = subject;
  alert.opened_ms = alert.first_ms = since_ms == 0 ? now_ms : since_ms;
  by_name_[{alert.kind, alert.subject}] = alert.id;
  return alerts_.emplace(alert.id, std::move(alert)).first->second;
}

void AlertBook::erase(std::uint64_t id) {
  const auto found = alerts_.find(id);
  by_name_.erase({found->second.kind, found->second.subject});
  alerts_.erase(found);
  changed_alerts_.insert(id);
}

bool AlertBook::silenced(const Alert& alert, std::int64_t now_ms) const {
  const auto on = [&](std::string_view what) {
    const auto found = silences_.find(what);
    return found != silences_.end() && found->second.until_ms > now_ms;
  };
  return on(alert.kind) || (!alert.subject.empty() && (on(alert.subject) || on(alert.kind + ":" + alert.subject)));
}

AlertBook::Moments AlertBook::tell(Alert& alert, What what, std::int64_t now_ms) {
  changed_alerts_.insert(alert.id);
  if (silenced(alert, now_ms)) return {};
  alert.told_ms = now_ms;
  alert.told_count = alert.count;
  return {{alert.id, what}};
}

AlertBook::Moments AlertBook::raise(std::string_view kind, std::string_view subject, std::string cause, std::int64_t now_ms,
                                    std::int64_t since_ms) {
  const auto* known = config::find_alert_kind(kind);
  if (known == nullptr || rules_.ignore.contains(kind)) return {};
  Alert* alert = get(kind, subject);
  if (alert == nullptr) {
    if (alerts_.size() >= kMost) return {};
    Alert& fresh = add(kind, subject, now_ms, since_ms);
    fresh.cause = std::move(cause);
    fresh.count = 1;
    fresh.changed_ms = now_ms;
    fresh.raised = {now_ms};
    return tell(fresh, What::kOpened, now_ms);
  }
  if (alert->cause != cause) {
    alert->cause = std::move(cause);
    changed_alerts_.insert(alert->id);
  }
  if (known->lasting) return alert->open() ? Moments{} : reopen(*alert, now_ms, since_ms);
  ++alert->count;
  alert->changed_ms = now_ms;
  changed_alerts_.insert(alert->id);
  return {};  // tick() tells of it in its time
}

AlertBook::Moments AlertBook::reopen(Alert& alert, std::int64_t now_ms, std::int64_t since_ms) {
  ++alert.count;
  alert.closed_ms = 0;
  alert.changed_ms = now_ms;
  alert.opened_ms = since_ms == 0 ? now_ms : since_ms;
  alert.acknowledged_by.clear();
  alert.acknowledged_ms = 0;
  std::erase_if(alert.raised, [&](std::int64_t t) { return t > now_ms || now_ms - t >= kFlapWindow; });
  if (alert.raised.empty() && !alert.flapping) {
    alert.first_ms = alert.opened_ms;
    alert.most = {};
  }
  if (!alert.flapping) alert.told_ms = 0;
  alert.raised.push_back(now_ms);
  if (alert.raised.size() > kFlaps) alert.raised.erase(alert.raised.begin());
  changed_alerts_.insert(alert.id);
  if (alert.flapping) return {};
  alert.flapping = alert.raised.size() >= kFlaps;
  return tell(alert, alert.flapping ? What::kFlapping : What::kOpened, now_ms);
}

AlertBook::Moments AlertBook::clear(std::string_view kind, std::string_view subject, std::int64_t now_ms, std::string ended) {
  Alert* alert = get(kind, subject);
  if (alert == nullptr || !alert->open() || !lasting(*alert)) return {};
  alert->closed_ms = alert->changed_ms = now_ms;
  alert->ended = std::move(ended);
  changed_alerts_.insert(alert->id);
  // Of what nobody was told of, or is told to flap, no end is told.
  return alert->flapping || alert->told_ms == 0 ? Moments{} : tell(*alert, What::kCleared, now_ms);
}

void AlertBook::forget(std::string_view kind, std::string_view subject) {
  if (const Alert* alert = get(kind, subject)) erase(alert->id);
}

void AlertBook::note_held(std::string_view kind, std::string_view subject, const Held& held) {
  Alert* alert = get(kind, subject);
  if (alert == nullptr || !alert->open() || held.messages <= alert->most.messages) return;
  alert->most = held;
  changed_alerts_.insert(alert->id);
}

// What happens at a moment is gathered for so long.
std::int64_t AlertBook::gathering_ms() const { return rules_.repeat_ms > 0 ? rules_.repeat_ms : 4 * 3'600'000; }

// Nothing more will come of it: a lasting one is remembered for as long as it could begin to flap.
bool AlertBook::over(const Alert& alert, std::int64_t now_ms) const {
  if (rules_.ignore.contains(alert.kind)) return true;
  if (lasting(alert)) return !alert.open() && !alert.flapping && now_ms - alert.changed_ms >= kFlapWindow;
  return alert.told_count == alert.count && now_ms - alert.changed_ms >= gathering_ms();
}

AlertBook::Moments AlertBook::tick_lasting(Alert& alert, std::int64_t now_ms) {
  const bool repeat = rules_.repeat_ms > 0 && now_ms - alert.told_ms >= rules_.repeat_ms && alert.acknowledged_ms == 0;
  if (alert.flapping) {
    if (now_ms - alert.changed_ms < kCalm) return repeat ? tell(alert, What::kFlapping, now_ms) : Moments{};
    alert.flapping = false;
    changed_alerts_.insert(alert.id);
    return tell(alert, alert.open() ? What::kCalm : What::kCleared, now_ms);
  }
  if (!alert.open()) return {};
  if (alert.told_ms == 0) return tell(alert, What::kOpened, now_ms);
  return repeat ? tell(alert, What::kRepeated, now_ms) : Moments{};
}

AlertBook::Moments AlertBook::tick_moment(Alert& alert, std::int64_t now_ms) {
  if (alert.count == alert.told_count) return {};
  if (alert.told_ms == 0) return tell(alert, What::kOpened, now_ms);
  return now_ms - alert.told_ms >= gathering_ms() ? tell(alert, What::kRepeated, now_ms) : Moments{};
}

AlertBook::Moments AlertBook::tick(std::int64_t now_ms) {
  Moments out;
  std::vector<std::uint64_t> gone;
  for (auto& [id, alert] : alerts_) {
    // The clock has gone back: what was told in the future counts as told now.
    alert.told_ms = std::min(alert.told_ms, now_ms);
    alert.changed_ms = std::min(alert.changed_ms, now_ms);
    if (over(alert, now_ms)) {
      gone.push_back(id);
    } else if (!silenced(alert, now_ms)) {
      const auto moments = lasting(alert) ? tick_lasting(alert, now_ms) : tick_moment(alert, now_ms);
      out.insert(out.end(), moments.begin(), moments.end());
    }
  }
  for (const auto id : gone) erase(id);
  std::erase_if(silences_, [&](const auto& entry) {
    if (entry.second.until_ms > now_ms) return false;
    changed_silences_.insert(entry.first);
    return true;
  });
  return out;
}

bool AlertBook::acknowledge(std::uint64_t id, const std::string& by, std::int64_t now_ms) {
  const auto found = alerts_.find(id);
  if (found == alerts_.end() || !found->second.open()) return false;
  found->second.acknowledged_by = by;
  found->second.acknowledged_ms = now_ms;
  changed_alerts_.insert(id);
  return true;
}

void AlertBook::silence(Silence silence) {
  changed_silences_.insert(silence.what);
  silences_.insert_or_assign(silence.what, silence);
}

bool AlertBook::unsilence(std::string_view what) {
  const auto found = silences_.find(what);
  if (found == silences_.end()) return false;
  changed_silences_.insert(found->first);
  silences_.erase(found);
  return true;
}

}  // namespace holdfast::alertd
