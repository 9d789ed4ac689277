#include "webd/ages.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "common/admin/queue_walk.h"
#include "common/admin/text_json.h"

namespace holdfast::webd {
namespace {

using admin::json;

constexpr std::array<std::int64_t, 9> kEdges{300, 900, 3600, 7200, 14400, 28800, 86400, 172800, 345600};  // seconds
constexpr std::size_t kStep = 20'000;  // rows a view
constexpr std::size_t kMostKept = 64;
constexpr base::Seconds kShortest{10};

class Histogram {
 public:
  explicit Histogram(std::int64_t now_ms) : now_ms_(now_ms) {}

  void add(std::int64_t arrival_ms, std::uint64_t size) {
    const auto age = std::max<std::int64_t>(0, now_ms_ - arrival_ms) / 1000;
    auto& [messages, bytes] = counts_[static_cast<std::size_t>(std::ranges::upper_bound(kEdges, age) - kEdges.begin())];
    ++messages;
    bytes += size;
  }

  std::string text() const {
    json out = json::array();
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      out.push_back({{"from", i == 0 ? 0 : kEdges[i - 1]},
                     {"to", i < kEdges.size() ? json(kEdges[i]) : json()},
                     {"messages", counts_[i].first},
                     {"bytes", counts_[i].second}});
    }
    return admin::dump_line({{"ages", out}, {"at", admin::time_json(now_ms_)}});
  }

 private:
  const std::int64_t now_ms_;
  std::array<std::pair<std::uint64_t, std::uint64_t>, kEdges.size() + 1> counts_{};
};

// By the order of one destination alone, which has state and size in it: no message is read.
base::Status count_by_order(admin::Gateway& gateway, const std::string& destination,
                            const std::optional<storage::MessageState>& state, const admin::QueueWords::Between& between,
                            Histogram& out) {
  storage::QueueIndex::Place behind{.time_ms = between.from_ms, .id = {}};
  for (bool more = true; more;) {
    more = false;
    const auto read = gateway.read_queue([&](const storage::QueueIndex& index, const storage::Txn& txn) {
      std::size_t left = kStep;
      index.by_age(txn, destination, behind, [&](storage::QueueIndex::Place place, const storage::Waiting& waiting) {
        if (place.time_ms > between.to_ms) return false;
        if (left-- == 0) return !(more = true);
        behind = place;
        if (!state || waiting.state == *state) out.add(place.time_ms, waiting.size);
        return true;
      });
    });
    if (!read) return read;
  }
  return {};
}

base::Status count_quickly(admin::Gateway& gateway, const admin::QueueWords& words, Histogram& out) {
  const auto filter = words.filter();
  if (!filter) return std::unexpected(filter.error());
  const auto between = words.arrivals(base::to_millis(base::wall_now()));
  if (!between) return std::unexpected(between.error());
  std::vector<std::string> destinations{words.destination};
  if (words.destination.empty()) {
    destinations.clear();
    const auto read = gateway.read_queue([&](const storage::QueueIndex& index, const storage::Txn& txn) {
      index.each_counter(txn, [&](std::string_view name, const storage::Counter&) {
        if (!name.empty()) destinations.emplace_back(name);
      });
    });
    if (!read) return read;
  }
  for (const auto& destination : destinations) {
    if (auto done = count_by_order(gateway, destination, filter->state, *between, out); !done) return done;
  }
  return {};
}

base::Status count(admin::Gateway& gateway, const admin::QueueWords& words, Histogram& out) {
  const bool quick = words.domain.empty() && words.sender.empty() && words.recipient.empty() && words.state != "active" &&
                     words.held_by.empty() && !words.unfiltered;
  if (!quick) {
    return admin::each_message(
        gateway, words, ~0ULL, admin::look(gateway),
        [&](const storage::Listed& item) { out.add(item.message.arrival_ms, item.message.size); }, [] {});
  }
  auto done = count_quickly(gateway, words, out);
  if (!done && done.error().kind == base::Kind::kNotFound) return {};
  return done;
}

}  // namespace

base::Result<std::string> AgesCache::answer(admin::Gateway& gateway, const admin::QueueWords& words) {
  const std::string key = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", words.held_by, words.unfiltered, words.destination, words.domain, words.sender,
                                      words.recipient, words.state, words.older, words.younger);
  const auto begun = base::mono_now();
  {
    const std::lock_guard lock(door_);
    const auto found = kept_.find(key);
    if (found != kept_.end() && begun < found->second.until) return found->second.text;
  }
  Histogram histogram(base::to_millis(base::wall_now()));
  if (auto done = count(gateway, words, histogram); !done) return std::unexpected(done.error());
  const auto now = base::mono_now();
  const std::lock_guard lock(door_);
  std::erase_if(kept_, [&](const auto& entry) { return entry.second.until <= now; });
  if (kept_.size() >= kMostKept) kept_.clear();
  auto& kept = kept_[key];
  kept = {histogram.text(), now + std::max<base::Mono::duration>(kShortest, 20 * (now - begun))};
  return kept.text;
}

}  // namespace holdfast::webd
