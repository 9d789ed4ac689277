#include "common/stats/counters.h"

namespace holdfast::stats {

HistogramNumbers& HistogramNumbers::operator+=(const HistogramNumbers& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets[i] += other.buckets[i];
  sum_us += other.sum_us;
  return *this;
}

Numbers& Numbers::operator+=(const Numbers& other) {
  for (std::size_t i = 0; i < kCounters; ++i) counters[i] += other.counters[i];
  for (std::size_t h = 0; h < kHistograms; ++h) histograms[h] += other.histograms[h];
  return *this;
}

const Numbers& mine() { return *detail::numbers; }

Counter refusal(int code, std::string_view enhanced) {
  const Counter first = code < 500 ? Counter::kDeferredOther : Counter::kRefusedOther;
  std::uint16_t subject = 0;
  if (enhanced.size() >= 3 && enhanced[1] == '.' && enhanced[2] >= '0' && enhanced[2] <= '7' &&
      (enhanced.size() == 3 || enhanced[3] == '.')) {
    subject = static_cast<std::uint16_t>(enhanced[2] - '0');
  }
  return static_cast<Counter>(static_cast<std::uint16_t>(first) + subject);
}

}  // namespace holdfast::stats
