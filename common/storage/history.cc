#include "common/storage/history.h"

#include <algorithm>
#include <bit>
#include <map>
#include <set>

#include "common/base/codec.h"
#include "common/base/panic.h"
#include "common/storage/keys.h"

namespace holdfast::storage {

// As it lies there: the mean's bits.
template <class V>
void HistoryPoint::fields(V&& v) {
  auto bits = std::bit_cast<std::uint64_t>(mean);
  v(series, samples, bits);
  mean = std::bit_cast<double>(bits);
}

namespace {

enum : Table { kSeries, kRow };
const std::vector<std::string> kTables{"series", "row"};

constexpr std::uint64_t kMap = 2ULL << 30;
// After a long pause, or a clock that was put back, the rest goes with the next samples.
constexpr int kErasedAtOnce = 500;

struct Row {
  std::vector<HistoryPoint> points;
  template <class V>
  void fields(V&& v) { v(points); }
};

struct SeriesRow {
  std::uint32_t number = 0;
  std::int64_t seen = 0;  // to the hour
  template <class V>
  void fields(V&& v) { v(number, seen); }
};

template <class T>
T decoded(std::string_view bytes) {
  auto out = base::decode<T>(bytes);
  base::expect(out.has_value(), "a row of the history cannot be read");
  return std::move(*out);
}

Key row_key(std::size_t level, std::int64_t at) {
  return Key().number(static_cast<std::uint8_t>(level)).time(at);
}

std::size_t level_of(std::string_view key) { return key_number<std::uint8_t>(key, 0); }
std::int64_t time_of(std::string_view key) { return static_cast<std::int64_t>(key_number<std::uint64_t>(key, 1)); }

// Rows of a level from `from` on, before `before`.
template <class Visit>
void each_row(const Txn& txn, std::size_t level, std::int64_t from, std::int64_t before, Visit&& visit) {
  Cursor cursor(txn, kRow);
  for (cursor.seek(row_key(level, from)); cursor.valid() && level_of(cursor.key()) == level; cursor.next()) {
    const auto at = time_of(cursor.key());
    if (at >= before) return;
    visit(at, cursor.value());
  }
}

std::optional<std::int64_t> last_row(const Txn& txn, std::size_t level) {
  Cursor cursor(txn, kRow);
  const bool found = cursor.seek(row_key(level + 1, 0)) ? cursor.previous() : cursor.last();
  if (!found || level_of(cursor.key()) != level) return std::nullopt;
  return time_of(cursor.key());
}

base::Status erase_rows(WriteTxn& txn, std::size_t level, std::int64_t from, std::int64_t before, int& room) {
  std::vector<std::int64_t> gone;
  each_row(txn, level, from, before, [&](std::int64_t at, std::string_view) {
    if (static_cast<int>(gone.size()) < room) gone.push_back(at);
  });
  room -= static_cast<int>(gone.size());
  for (const auto at : gone) {
    if (auto done = txn.erase(kRow, row_key(level, at)); !done) return done;
  }
  return {};
}

// Names that nothing was heard of for as long as anything is kept.
base::Status erase_forgotten(WriteTxn& txn, std::int64_t now) {
  std::vector<std::string> gone;
  Cursor cursor(txn, kSeries);
  for (cursor.first(); cursor.valid(); cursor.next()) {
    if (decoded<SeriesRow>(cursor.value()).seen < now - kHistoryLevels.back().keep) gone.emplace_back(cursor.key());
  }
  for (const auto& name : gone) {
    if (auto done = txn.erase(kSeries, name); !done) return done;
  }
  return {};
}

std::set<std::uint32_t> numbers(const Txn& txn) {
  std::set<std::uint32_t> out;
  Cursor cursor(txn, kSeries);
  for (cursor.first(); cursor.valid(); cursor.next()) out.insert(decoded<SeriesRow>(cursor.value()).number);
  return out;
}

}  // namespace

base::Result<std::unique_ptr<History>> History::open(const std::string& state_folder, bool read_only) {
  auto env = Env::open(folder(state_folder), kTables,
                       {.read_only = read_only,
                        .map_bytes = kMap,
                        .repair = "stop webd and remove the folder: only graphs of the past are lost"});
  if (!env) return std::unexpected(env.error());
  auto out = std::make_unique<History>();
  out->env_ = std::move(*env);
  return out;
}

// A number is given again only when its series was forgotten, and no row of it is left.
base::Result<std::vector<HistoryPoint>> History::number(WriteTxn& txn, std::int64_t now, const Values& values) const {
  std::vector<HistoryPoint> out;
  std::optional<std::set<std::uint32_t>> used;
  for (const auto& [name, value] : values) {
    if (name.empty() || name.size() > kLongestName) continue;
    const auto bytes = txn.get(kSeries, name);
    auto row = bytes ? decoded<SeriesRow>(*bytes) : SeriesRow{};
    if (!bytes) {
      if (!used) used = numbers(txn);
      if (used->size() >= kMostSeries) continue;
      row.number = used->empty() ? 1 : *used->rbegin() + 1;
      used->insert(row.number);
    }
    if (!bytes || slot(now, 3600) != row.seen) {
      row.seen = slot(now, 3600);
      if (auto done = txn.put(kSeries, name, base::encode(row)); !done) return std::unexpected(done.error());
    }
    out.push_back({.series = row.number, .samples = 1, .mean = value});
  }
  return out;
}

base::Status History::add(WriteTxn& txn, std::int64_t now, const Values& values) const {
  const auto& levels = kHistoryLevels;
  if (auto done = forget_future(txn, now); !done) return done;
  const auto before = last_row(txn, 0);
  auto points = number(txn, now, values);
  if (!points) return std::unexpected(points.error());
  if (auto done = txn.put(kRow, row_key(0, slot(now, levels[0].step)), base::encode(Row{std::move(*points)})); !done) return done;
  for (std::size_t level = 1; before && level < levels.size(); ++level) {
    const auto whole = slot(*before, levels[level].step);
    if (whole == slot(now, levels[level].step)) break;
    if (auto done = roll_up(txn, level, whole); !done) return done;
  }
  return prune(txn, now);
}

base::Status History::roll_up(WriteTxn& txn, std::size_t level, std::int64_t at) const {
  RollUp sums;
  each_row(txn, level - 1, at, at + kHistoryLevels[level].step,
           [&](std::int64_t, std::string_view bytes) { sums.add(decoded<Row>(bytes).points); });
  return txn.put(kRow, row_key(level, at), base::encode(Row{sums.take()}));
}

base::Status History::prune(WriteTxn& txn, std::int64_t now) const {
  int room = kErasedAtOnce;
  for (std::size_t level = 0; level < kHistoryLevels.size(); ++level) {
    if (auto done = erase_rows(txn, level, 0, now - kHistoryLevels[level].keep, room); !done) return done;
  }
  return now % 3600 < kHistoryLevels[0].step ? erase_forgotten(txn, now) : base::Status{};
}

base::Status History::forget_future(WriteTxn& txn, std::int64_t now) const {
  int room = kErasedAtOnce;
  for (std::size_t level = 0; level < kHistoryLevels.size(); ++level) {
    if (auto done = erase_rows(txn, level, now + 1, INT64_MAX, room); !done) return done;
  }
  return {};
}

std::vector<std::string> History::series(const Txn& txn) const {
  std::vector<std::string> out;
  Cursor cursor(txn, kSeries);
  for (cursor.first(); cursor.valid(); cursor.next()) out.emplace_back(cursor.key());
  return out;
}

History::Answer History::read(const Txn& txn, const std::vector<std::string>& names, std::int64_t from, std::int64_t to,
                              std::int64_t now) const {
  to = std::min(to, now);
  from = std::max(from, now - kHistoryLevels.back().keep);
  Answer out;
  if (from > to) return out;
  out.step = answer_step(from, to, now, kMostSteps);
  out.first = slot(from, out.step);
  const auto steps = static_cast<std::size_t>((to - out.first) / out.step + 1);
  std::map<std::uint32_t, std::size_t> wanted;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (const auto bytes = txn.get(kSeries, names[i])) wanted.emplace(decoded<SeriesRow>(*bytes).number, i);
  }
  std::vector<RollUp> sums(steps);
  const auto add = [&](std::int64_t at, std::string_view bytes) {
    auto points = decoded<Row>(bytes).points;
    std::erase_if(points, [&](const auto& point) { return !wanted.contains(point.series); });
    sums[static_cast<std::size_t>((at - out.first) / out.step)].add(points);
  };
  // The longest steps that fit, and what is not rolled up yet from shorter ones.
  std::int64_t reached = out.first;
  for (std::size_t level = kHistoryLevels.size(); level-- > 0;) {
    if (kHistoryLevels[level].step > out.step) continue;
    each_row(txn, level, reached, to + 1, add);
    if (const auto last = last_row(txn, level)) reached = std::max(reached, *last + kHistoryLevels[level].step);
  }
  out.values.assign(names.size(), std::vector<std::optional<double>>(steps));
  out.samples.assign(names.size(), std::vector<std::uint32_t>(steps));
  for (std::size_t step = 0; step < steps; ++step) {
    for (const auto& point : sums[step].take()) {
      const auto which = wanted.at(point.series);
      out.values[which][step] = point.mean;
      out.samples[which][step] = point.samples;
    }
  }
  return out;
}

}  // namespace holdfast::storage
