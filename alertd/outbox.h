// What is still to be sent, and by which road when. Each road is a clock of its own: what fails is tried again after
// retry_wait(), for kKeep; nothing of one road waits for another. Pure: time comes in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "alertd/alert.h"

namespace holdfast::alertd {

// 10 s, 30 s, 1, 2, 5, 10 and then 15 minutes.
std::int64_t retry_wait(std::uint32_t attempts);

class Outbox {
 public:
  static constexpr std::int64_t kKeep = 4LL * 86'400'000;
  static constexpr std::size_t kMost = 500;       // notices; then the oldest go, reports before alerts
  static constexpr std::size_t kMostReports = 10;  // of these

  void restore(std::vector<Notice> notices);

  // Roads that are not there any more are dropped from what waits. `roads` are those of alerts, `others` what add_by() may
  // name beside them.
  void set_roads(const std::vector<std::string>& roads, const std::vector<std::string>& others = {});

  // To go by all roads. It is sent only when written() was called for it, or `anyway`. A repetition takes the place of an
  // earlier one of the same alert where that still waits.
  std::uint64_t add(Notice notice, std::int64_t now_ms);
  // The same by these roads; 0 without any.
  std::uint64_t add_by(const std::vector<std::string>& roads, Notice notice, std::int64_t now_ms);
  void written(const std::set<std::uint64_t>& ids);

  // The oldest that is due by this road.
  const Notice* next(const std::string& road, std::int64_t now_ms, bool anyway) const;
  // When something will be due by some road, among those not in `busy`.
  std::optional<std::int64_t> next_due(const std::set<std::string>& busy) const;

  void sent(std::uint64_t id, const std::string& road);
  void failed(std::uint64_t id, const std::string& road, std::int64_t now_ms);
  // Lets all be tried now: the roads have changed, or somebody has tried one with success.
  void hasten(const std::string& road, std::int64_t now_ms);
  // What is too old is given up; how many.
  std::size_t expire(std::int64_t now_ms);

  std::size_t waiting(const std::string& road) const;
  const Notice* find(std::uint64_t id) const;
  std::set<std::uint64_t> take_changed() { return std::exchange(changed_, {}); }

 private:
  Delivery* delivery(std::uint64_t id, const std::string& road);
  void drop_done();
  void make_room();
  void drop_older_repetitions(const Notice& fresh);

  std::vector<std::string> roads_;
  std::map<std::uint64_t, Notice> notices_;
  std::set<std::uint64_t> unwritten_, changed_;
  std::uint64_t last_id_ = 0;
};

}  // namespace holdfast::alertd
