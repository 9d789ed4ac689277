#include "common/admin/history_values.h"

#include <algorithm>

namespace holdfast::admin {
namespace {

using stats::Counter;
using stats::Histogram;
using Values = storage::History::Values;

constexpr HistorySeries kSeries[] = {
    {"queue.messages", "messages", "messages in the queue"},
    {"queue.bytes", "bytes", "octets of the queued messages"},
    {"queue.deferred", "messages", "those that wait for their next attempt"},
    {"queue.held", "messages", "those that are held"},
    {"queue.frozen", "messages", "those that are frozen"},
    {"queue.oldest_seconds", "seconds", "age of the oldest queued message"},
    {"queue.domain.", "messages", "messages in the queue with a recipient in that domain"},
    {"queue.destination.", "messages", "messages in the queue for that destination"},
    {"rate.connections", "per second", "clients that connected"},
    {"rate.proxied", "per second", "messages that the destination took in the client's session"},
    {"rate.kept", "per second", "messages that were spooled"},
    {"rate.refused", "per second", "refusals with a 5xx"},
    {"rate.deferred", "per second", "refusals with a 4xx"},
    {"rate.sent", "per second", "recipients of queued mail that were reached"},
    {"rate.bounced", "per second", "reports of failure that were written to senders"},
    {"rate.expired", "per second", "messages that were given up since their time was over"},
    {"rate.bytes", "bytes per second", "octets of messages that came whole"},
    {"latency.proxy", "seconds", "mean time from the client's dot to the destination's answer"},
    {"latency.keep", "seconds", "mean time from the client's dot until the message was durable"},
    {"latency.deliver", "seconds", "mean time of an attempt for a queued message"},
    {"latency.sync", "seconds", "mean time of making a batch of messages durable"},
    {"state.", "", "that destination: 1 up, 0.75 draining, 0.25 paused, 0 down"},
    {"clients", "clients", "clients that are connected"},
    {"spool.free_ratio", "ratio", "share of the spool's file system that is free"},
};

double number(std::uint64_t n) { return static_cast<double>(n); }

template <class T>
void add_known(Values& out, std::string name, const std::optional<T>& value) {
  if (value) out.emplace_back(std::move(name), static_cast<double>(*value));
}

void add_queue(const Figures& now, Values& out) {
  if (now.status.queue) {
    const auto& queue = *now.status.queue;
    out.emplace_back("queue.messages", number(queue.messages));
    out.emplace_back("queue.bytes", number(queue.bytes));
    out.emplace_back("queue.deferred", number(queue.deferred));
    out.emplace_back("queue.held", number(queue.held));
    out.emplace_back("queue.frozen", number(queue.frozen));
    add_known(out, "queue.oldest_seconds", queue.oldest_seconds);
  }
  for (const auto& [domain, messages] : now.domains) out.emplace_back("queue.domain." + domain, number(messages));
}

std::optional<double> level(const std::string& state) {
  if (state == "up") return 1;
  if (state == "draining") return 0.75;
  if (state == "paused") return 0.25;
  return state == "down" ? std::optional(0.0) : std::nullopt;
}

void add_destinations(const Figures& now, Values& out) {
  for (const auto& d : now.status.destinations) {
    add_known(out, "queue.destination." + d.name, d.queued);
    add_known(out, "state." + d.name, d.stale ? std::nullopt : level(d.state));
  }
}

// What was counted between two moments; nothing when either is not known, or the counters have begun anew.
class Between {
 public:
  Between(const Figures& now, const Figures* before, double seconds) : seconds_(seconds) {
    if (before == nullptr || !now.sums || !before->sums || seconds <= 0) return;
    for (const auto& [daemon, numbers] : *now.sums) now_ += numbers;
    for (const auto& [daemon, numbers] : *before->sums) before_ += numbers;
    known_ = true;
    for (std::size_t i = 0; i < stats::kCounters; ++i) known_ = known_ && now_.counters[i] >= before_.counters[i];
    for (std::size_t h = 0; h < stats::kHistograms; ++h) {
      known_ = known_ && now_.histograms[h].sum_us >= before_.histograms[h].sum_us;
    }
  }

  std::optional<double> rate(Counter first, Counter last) const {
    if (!known_) return std::nullopt;
    std::uint64_t sum = 0;
    for (auto i = static_cast<std::size_t>(first); i <= static_cast<std::size_t>(last); ++i) {
      sum += now_.counters[i] - before_.counters[i];
    }
    return number(sum) / seconds_;
  }
  std::optional<double> rate(Counter what) const { return rate(what, what); }

  // Nothing happened: there is no mean of it.
  std::optional<double> mean(Histogram what) const {
    if (!known_) return std::nullopt;
    const auto now = count_of(now_[what]), before = count_of(before_[what]);
    if (now <= before) return std::nullopt;
    return number(now_[what].sum_us - before_[what].sum_us) / 1e6 / number(now - before);
  }

 private:
  double seconds_;
  bool known_ = false;
  stats::Numbers now_, before_;
};

}  // namespace

std::span<const HistorySeries> history_series() { return kSeries; }

const HistorySeries* find_history_series(std::string_view name) {
  const auto found = std::ranges::find_if(kSeries, [&](const HistorySeries& row) {
    return row.name.ends_with('.') ? name.size() > row.name.size() && name.starts_with(row.name) : name == row.name;
  });
  return found == std::end(kSeries) ? nullptr : &*found;
}

storage::History::Values history_values(const Figures& now, const Figures* before, double seconds) {
  storage::History::Values out;
  add_queue(now, out);
  add_destinations(now, out);
  const Between between(now, before, seconds);
  add_known(out, "rate.connections", between.rate(Counter::kConnections));
  add_known(out, "rate.proxied", between.rate(Counter::kMessagesProxied));
  add_known(out, "rate.kept", between.rate(Counter::kMessagesKept));
  add_known(out, "rate.refused", between.rate(Counter::kRefusedOther, Counter::kRefusedPolicy));
  add_known(out, "rate.deferred", between.rate(Counter::kDeferredOther, Counter::kDeferredPolicy));
  add_known(out, "rate.sent", between.rate(Counter::kSent));
  add_known(out, "rate.bounced", between.rate(Counter::kReports));
  add_known(out, "rate.expired", between.rate(Counter::kExpired));
  add_known(out, "rate.bytes", between.rate(Counter::kReceivedBytes));
  add_known(out, "latency.proxy", between.mean(Histogram::kProxySeconds));
  add_known(out, "latency.keep", between.mean(Histogram::kKeepSeconds));
  add_known(out, "latency.deliver", between.mean(Histogram::kDeliverSeconds));
  add_known(out, "latency.sync", between.mean(Histogram::kSyncSeconds));
  if (now.status.clients) out.emplace_back("clients", number(now.status.clients->now));
  if (now.status.spool) out.emplace_back("spool.free_ratio", now.status.spool->free_percent / 100.0);
  return out;
}

}  // namespace holdfast::admin
