// How figures of short steps become those of longer ones. Pure: rows in, rows out.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace holdfast::storage {

// The mean of a series over a step, and of how many samples: a series that was unknown for half the step counts as much
// as it was there. One of no samples does not exist.
struct HistoryPoint {
  std::uint32_t series = 0;
  std::uint32_t samples = 1;
  double mean = 0;

  template <class V>
  void fields(V&& v);
  bool operator==(const HistoryPoint&) const = default;
};

// Rows of a level are `step` apart, at multiples of it, and are kept for `keep`; all in seconds.
struct HistoryLevel {
  std::int64_t step, keep;
};
inline constexpr std::int64_t kDaySeconds = 24 * 3600;
inline constexpr std::array<HistoryLevel, 3> kHistoryLevels = {
    HistoryLevel{10, kDaySeconds}, HistoryLevel{300, 31 * kDaySeconds}, HistoryLevel{3600, 366 * kDaySeconds}};

// The multiple of `step` at or before `time`.
constexpr std::int64_t slot(std::int64_t time, std::int64_t step) { return time - time % step; }

// Adds points up to one of each series, in the order of their numbers.
class RollUp {
 public:
  void add(std::span<const HistoryPoint> points);
  std::vector<HistoryPoint> take();

 private:
  struct Sum {
    double total = 0;
    std::uint64_t samples = 0;
  };
  std::map<std::uint32_t, Sum> sums_;
};

// Which steps a question is answered in: the shortest that is still kept at `from`, or a multiple of the longest one, so
// that there are no more than `most` of them.
std::int64_t answer_step(std::int64_t from, std::int64_t to, std::int64_t now, std::size_t most);

}  // namespace holdfast::storage
