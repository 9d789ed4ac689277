#include "common/stats/destinations.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>

#include "common/base/panic.h"

namespace holdfast::stats {
namespace {

using Row = DestinationTable::Row;

// A name is there before it is counted in `used`.
std::size_t rows_used(const DestinationTable& table) {
  auto& used = const_cast<std::uint64_t&>(table.used);
  const auto rows = std::atomic_ref<std::uint64_t>(used).load(std::memory_order_acquire);
  return std::min<std::size_t>(rows, DestinationTable::kNamed);
}

std::string_view name_of(const Row& row) { return {row.name.data(), ::strnlen(row.name.data(), row.name.size())}; }

Row* find(DestinationTable& table, std::string_view name, std::size_t from, std::size_t to) {
  const auto begin = table.rows.begin();
  const auto at = std::find_if(begin + from, begin + to, [&](const Row& row) { return name_of(row) == name; });
  return at == begin + to ? nullptr : &*at;
}

Row& claim(DestinationTable& table, std::string_view name, std::size_t looked_at) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const auto used = rows_used(table);
  if (Row* row = find(table, name, looked_at, used)) return *row;
  if (used == DestinationTable::kNamed) return table.rows.back();
  Row& row = table.rows[used];
  row = Row{};  // one who was killed in here may have left half a name
  std::ranges::copy(name, row.name.begin());
  std::atomic_ref<std::uint64_t>(table.used).store(used + 1, std::memory_order_release);
  return row;
}

Row& row_of(DestinationTable& table, std::string_view name) {
  const auto used = rows_used(table);
  if (Row* row = find(table, name, 0, used)) return *row;
  if (used == DestinationTable::kNamed || name.empty() || name.size() >= DestinationTable::kNameBytes) return table.rows.back();
  return claim(table, name, used);
}

bool is_name(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '/';
  };
  return !name.empty() && name.size() < DestinationTable::kNameBytes && std::ranges::all_of(name, good);
}

DestinationNumbers read(const DestinationNumbers& there) {
  DestinationNumbers out;
  for (std::size_t i = 0; i < kAnswers; ++i) out.answers[i] = detail::load(there.answers[i]);
  out.seconds = detail::load(there.seconds);
  return out;
}

}  // namespace

std::string_view to_text(Answer answer) {
  switch (answer) {
    case Answer::kAccepted: return "accepted";
    case Answer::kDeferred: return "deferred";
    case Answer::kRefused: return "refused";
    case Answer::kFailed: return "failed";
    case Answer::kSize: break;
  }
  base::panic("an answer that is none");
}

DestinationNumbers& DestinationNumbers::operator+=(const DestinationNumbers& other) {
  for (std::size_t i = 0; i < kAnswers; ++i) answers[i] += other.answers[i];
  seconds += other.seconds;
  return *this;
}

void add(Destinations& to, const Destinations& more) {
  for (const auto& [name, numbers] : more) {
    const bool room = to.contains(name) || to.size() < kMostDestinations;
    to[room ? name : std::string(kOthers)] += numbers;
  }
}

void count_answer(std::string_view destination, Answer answer, std::chrono::nanoseconds took) {
  if (detail::destinations == nullptr) return;
  auto& numbers = row_of(*detail::destinations, destination).numbers;
  detail::add(numbers.answers[static_cast<std::size_t>(answer)], 1);
  if (answer != Answer::kFailed) detail::observe(numbers.seconds, took);
}

Destinations read_table(const DestinationTable& table) {
  Destinations out;
  for (std::size_t i = 0; i < rows_used(table); ++i) {
    // Whoever wrote the name may change it while it is looked at.
    auto copy = table.rows[i].name;
    copy.back() = '\0';
    if (const std::string name = copy.data(); is_name(name)) out[name] += read(table.rows[i].numbers);
  }
  if (const auto others = read(table.rows.back().numbers); others != DestinationNumbers{}) out[std::string(kOthers)] = others;
  return out;
}

void clear_table(DestinationTable& table) {
  const auto used = rows_used(table);
  std::fill_n(table.rows.begin(), used, Row{});
  if (read(table.rows.back().numbers) != DestinationNumbers{}) table.rows.back() = Row{};
  table.used = 0;
}

}  // namespace holdfast::stats
