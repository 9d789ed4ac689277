// What the daemons count, each in a page of memory of its own that master made and can read (page.h). Counting costs an
// addition: no system call, no allocation, no lock. What each number is called outside is in families.h.
//
// Numbers only rise. A process begins at 0; master keeps what those before it have counted (master/tallies.h).
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::stats {

// The order is that of the page: a name may be put anywhere, since a daemon of another build shows another table().
enum class Counter : std::uint16_t {
  // smtpd
  kConnections, kTlsSessions, kEarlyTalkers,
  kLimitedConnections, kLimitedMessages, kLimitedRecipients, kLimitedKept,
  kReceivedBytes, kProxiedBytes, kKeptBytes,
  kMessagesProxied, kMessagesKept, kMessagesRefused, kMessagesDeferred,
  kRecipientsLive, kRecipientsKept,
  kFilterRefused, kFilterDiscarded, kFilterHeld, kMessagesUnfiltered, kMessagesCopied,
  kListAllowed, kListBlockedClient, kListBlockedHelo, kListBlockedSender, kListBlockedRecipient,
  kDnsblBlocked, kDnsblFailed, kGreylistPutOff, kGreylistPassed, kGreylistKnown, kGreylistFailed,
  // the classes of RFC 3463 section 3, in its order: of 4xx, then of 5xx
  kDeferredOther, kDeferredAddress, kDeferredMailbox, kDeferredSystem, kDeferredNetwork, kDeferredProtocol,
  kDeferredContent, kDeferredPolicy,
  kRefusedOther, kRefusedAddress, kRefusedMailbox, kRefusedSystem, kRefusedNetwork, kRefusedProtocol,
  kRefusedContent, kRefusedPolicy,
  // deliver
  kAttempts, kDeliveredBytes, kSent, kDeferred, kRefused, kConnectionsLost, kDamaged,
  kRescanPassed, kRescanHeld, kRescanDeferred,
  // qmgr
  kIndexed, kRemoved, kExpired, kFrozen, kDiscarded,
  kReports, kDelayNotices, kReportsSuppressed, kPossibleDuplicates,
  kDrainsFailed, kDrainsBraked, kCanariesAccepted,
  // prober
  kProbesPassed, kProbesFailed, kToUp, kToDown, kToDraining, kToPaused, kAccepted,
  // whoever writes an LMDB environment
  kCommits, kCommitsFailed,
  kSize,
};

enum class Histogram : std::uint16_t {
  kProxySeconds,   // smtpd: from the client's dot to the destination's answer
  kKeepSeconds,    // smtpd: from the client's dot to what is durable
  kDeliverSeconds,  // deliver: an attempt, the connection included
  kSyncSeconds,    // smtpd, qmgr: an fdatasync of a segment
  kCommitSeconds,  // an LMDB commit
  kSize,
};

inline constexpr std::size_t kCounters = static_cast<std::size_t>(Counter::kSize);
inline constexpr std::size_t kHistograms = static_cast<std::size_t>(Histogram::kSize);

// Upper bounds, inclusive; what is longer falls into one more bucket.
inline constexpr std::array<std::chrono::microseconds, 15> kBounds = {
    std::chrono::microseconds{1'000},      std::chrono::microseconds{2'500},      std::chrono::microseconds{5'000},
    std::chrono::microseconds{10'000},     std::chrono::microseconds{25'000},     std::chrono::microseconds{50'000},
    std::chrono::microseconds{100'000},    std::chrono::microseconds{250'000},    std::chrono::microseconds{500'000},
    std::chrono::microseconds{1'000'000},  std::chrono::microseconds{2'500'000},  std::chrono::microseconds{5'000'000},
    std::chrono::microseconds{10'000'000}, std::chrono::microseconds{30'000'000}, std::chrono::microseconds{60'000'000}};
inline constexpr std::size_t kBuckets = kBounds.size() + 1;

// Each bucket counts its own range only; the count of all is their sum.
struct HistogramNumbers {
  std::array<std::uint64_t, kBuckets> buckets{};
  std::uint64_t sum_us = 0;

  HistogramNumbers& operator+=(const HistogramNumbers& other);
  bool operator==(const HistogramNumbers&) const = default;
};

struct Numbers {
  std::array<std::uint64_t, kCounters> counters{};
  std::array<HistogramNumbers, kHistograms> histograms{};

  std::uint64_t& operator[](Counter c) { return counters[static_cast<std::size_t>(c)]; }
  std::uint64_t operator[](Counter c) const { return counters[static_cast<std::size_t>(c)]; }
  HistogramNumbers& operator[](Histogram h) { return histograms[static_cast<std::size_t>(h)]; }
  const HistogramNumbers& operator[](Histogram h) const { return histograms[static_cast<std::size_t>(h)]; }
  Numbers& operator+=(const Numbers& other);
};

inline std::size_t bucket_of(std::chrono::nanoseconds time) {
  std::size_t at = 0;
  while (at < kBounds.size() && time > kBounds[at]) ++at;
  return at;
}

namespace detail {
inline Numbers nowhere;                // who has no page counts here
inline Numbers* numbers = &nowhere;    // set once, before there are threads (page.h)
inline void add(std::uint64_t& number, std::uint64_t n) {
  std::atomic_ref<std::uint64_t>(number).fetch_add(n, std::memory_order_relaxed);
}

// What another process may be counting just now.
inline std::uint64_t load(const std::uint64_t& number) {
  return std::atomic_ref<std::uint64_t>(const_cast<std::uint64_t&>(number)).load(std::memory_order_relaxed);
}
inline HistogramNumbers load(const HistogramNumbers& there) {
  HistogramNumbers out;
  for (std::size_t i = 0; i < kBuckets; ++i) out.buckets[i] = load(there.buckets[i]);
  out.sum_us = load(there.sum_us);
  return out;
}

inline void observe(HistogramNumbers& of, std::chrono::nanoseconds time) {
  time = std::max(time, std::chrono::nanoseconds{0});
  add(of.buckets[bucket_of(time)], 1);
  add(of.sum_us, static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count()));
}
}  // namespace detail

// From any thread.
inline void count(Counter what, std::uint64_t n = 1) { detail::add((*detail::numbers)[what], n); }

// A time that is less than none, since a clock was set, counts as none.
inline void observe(Histogram what, std::chrono::nanoseconds time) { detail::observe((*detail::numbers)[what], time); }

// What this process has counted, as it is now.
const Numbers& mine();

// The counter of a refusal: severity 4 or 5, and the class of the enhanced code ("4.7.1": 7). An answer without
// such a code, or with one that is none, is of class 0.
Counter refusal(int code, std::string_view enhanced);

}  // namespace holdfast::stats
