#include "alertd/outbox.h"

#include <algorithm>
#include <iterator>

namespace holdfast::alertd {

namespace {

bool is_report(const std::pair<const std::uint64_t, Notice>& entry) { return entry.second.what == What::kReport; }

}  // namespace

std::int64_t retry_wait(std::uint32_t attempts) {
  static constexpr std::int64_t kSeconds[] = {10, 30, 60, 120, 300, 600, 900};
  const auto at = std::min<std::size_t>(attempts == 0 ? 0 : attempts - 1, std::size(kSeconds) - 1);
  return kSeconds[at] * 1000;
}

void Outbox::restore(std::vector<Notice> notices) {
  for (auto& notice : notices) {
    last_id_ = std::max(last_id_, notice.id);
    notices_.insert_or_assign(notice.id, std::move(notice));
  }
}

void Outbox::drop_done() {
  std::erase_if(notices_, [&](const auto& entry) {
    if (!entry.second.deliveries.empty()) return false;
    changed_.insert(entry.first);
    unwritten_.erase(entry.first);
    return true;
  });
}

void Outbox::set_roads(const std::vector<std::string>& roads, const std::vector<std::string>& others) {
  roads_ = roads;
  const auto in = [](const std::vector<std::string>& names, const Delivery& d) { return std::ranges::find(names, d.road) != names.end(); };
  for (auto& [id, notice] : notices_) {
    const auto gone = std::erase_if(notice.deliveries, [&](const Delivery& d) { return !in(roads, d) && !in(others, d); });
    if (gone > 0) changed_.insert(id);
  }
  drop_done();
}

void Outbox::drop_older_repetitions(const Notice& fresh) {
  for (auto& [id, notice] : notices_) {
    if (notice.alert != fresh.alert || notice.what != What::kRepeated) continue;
    notice.deliveries.clear();
  }
  drop_done();
}

std::uint64_t Outbox::add(Notice notice, std::int64_t now_ms) {
  if (notice.alert != 0) drop_older_repetitions(notice);
  return add_by(roads_, std::move(notice), now_ms);
}

std::uint64_t Outbox::add_by(const std::vector<std::string>& roads, Notice notice, std::int64_t now_ms) {
  if (roads.empty()) return 0;
  notice.id = ++last_id_;
  notice.deliveries.clear();
  for (const auto& road : roads) notice.deliveries.push_back({road, 0, now_ms});
  changed_.insert(notice.id);
  unwritten_.insert(notice.id);
  notices_.emplace(notice.id, std::move(notice));
  make_room();
  return last_id_;
}

void Outbox::make_room() {
  const auto reports = static_cast<std::size_t>(std::ranges::count_if(notices_, is_report));
  if (reports > kMostReports || (notices_.size() > kMost && reports > 0)) {
    std::ranges::find_if(notices_, is_report)->second.deliveries.clear();
  } else if (notices_.size() > kMost) {
    notices_.begin()->second.deliveries.clear();
  } else {
    return;
  }
  drop_done();
}

void Outbox::written(const std::set<std::uint64_t>& ids) {
  for (const auto id : ids) unwritten_.erase(id);
}

const Notice* Outbox::next(const std::string& road, std::int64_t now_ms, bool anyway) const {
  for (const auto& [id, notice] : notices_) {
    if (!anyway && unwritten_.contains(id)) continue;
    const auto found = std::ranges::find(notice.deliveries, road, &Delivery::road);
    if (found != notice.deliveries.end() && found->next_ms <= now_ms) return &notice;
  }
  return nullptr;
}

std::optional<std::int64_t> Outbox::next_due(const std::set<std::string>& busy) const {
  std::optional<std::int64_t> out;
  for (const auto& [id, notice] : notices_) {
    if (unwritten_.contains(id)) continue;
    for (const auto& d : notice.deliveries) {
      if (!busy.contains(d.road) && (!out || d.next_ms < *out)) out = d.next_ms;
    }
  }
  return out;
}

Delivery* Outbox::delivery(std::uint64_t id, const std::string& road) {
  const auto notice = notices_.find(id);
  if (notice == notices_.end()) return nullptr;
  auto& all = notice->second.deliveries;
  const auto found = std::ranges::find(all, road, &Delivery::road);
  return found == all.end() ? nullptr : &*found;
}

void Outbox::sent(std::uint64_t id, const std::string& road) {
  const auto notice = notices_.find(id);
  if (notice == notices_.end()) return;
  std::erase_if(notice->second.deliveries, [&](const Delivery& d) { return d.road == road; });
  changed_.insert(id);
  drop_done();
}

void Outbox::failed(std::uint64_t id, const std::string& road, std::int64_t now_ms) {
  Delivery* found = delivery(id, road);
  if (found == nullptr) return;
  found->next_ms = now_ms + retry_wait(++found->attempts);
  changed_.insert(id);
}

void Outbox::hasten(const std::string& road, std::int64_t now_ms) {
  for (auto& [id, notice] : notices_) {
    if (Delivery* found = delivery(id, road)) found->next_ms = std::min(found->next_ms, now_ms);
  }
}

std::size_t Outbox::expire(std::int64_t now_ms) {
  std::size_t gone = 0;
  for (auto& [id, notice] : notices_) {
    for (auto& d : notice.deliveries) d.next_ms = std::min(d.next_ms, now_ms + retry_wait(1000));  // the clock has gone back
    if (now_ms - notice.made_ms < kKeep) continue;
    notice.deliveries.clear();
    ++gone;
  }
  drop_done();
  return gone;
}

std::size_t Outbox::waiting(const std::string& road) const {
  return static_cast<std::size_t>(std::ranges::count_if(notices_, [&](const auto& entry) {
    return std::ranges::find(entry.second.deliveries, road, &Delivery::road) != entry.second.deliveries.end();
  }));
}

const Notice* Outbox::find(std::uint64_t id) const {
  const auto found = notices_.find(id);
  return found == notices_.end() ? nullptr : &found->second;
}

}  // namespace holdfast::alertd
