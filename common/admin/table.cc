#include "common/admin/table.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/base/time.h"

namespace holdfast::admin {
namespace {

std::string spell_ms(std::int64_t ms) { return base::spell(base::Seconds{ms / 1000}); }

}  // namespace

Table::Table(std::vector<std::string> heads) : heads_(std::move(heads)) {
  for (auto& head : heads_) {
    right_.push_back(head.starts_with('>'));
    if (right_.back()) head.erase(0, 1);
    widths_.push_back(head.size());
  }
}

void Table::add(std::vector<std::string> cells) {
  cells.resize(heads_.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells[i] = cells[i].empty() ? "-" : base::printable(cells[i]);
    widths_[i] = std::max(widths_[i], cells[i].size());
  }
  rows_.push_back(std::move(cells));
}

std::string Table::take() {
  std::string out;
  if (rows_.empty()) return out;
  if (!headed_) out += line(heads_);
  headed_ = true;
  for (const auto& row : rows_) out += line(row);
  rows_.clear();
  return out;
}

std::string Table::line(const std::vector<std::string>& cells) const {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string pad(widths_[i] - cells[i].size(), ' ');
    if (i > 0) out += "  ";
    out += right_[i] ? pad + cells[i] : cells[i] + pad;
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out + "\n";
}

std::string count_text(std::uint64_t n, const std::string& noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  static constexpr std::array kUnits{"KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return value < 10 ? fmt::format("{:.1f} {}", value, kUnits[unit]) : fmt::format("{:.0f} {}", value, kUnits[unit]);
}

std::string ago_text(std::int64_t then_ms, std::int64_t now_ms) {
  return then_ms == 0 ? "" : spell_ms(std::max<std::int64_t>(0, now_ms - then_ms)) + " ago";
}

std::string ahead_text(std::int64_t then_ms, std::int64_t now_ms) {
  if (then_ms == 0) return "";
  return then_ms <= now_ms ? "now" : "in " + spell_ms(then_ms - now_ms);
}

std::string dated_text(std::int64_t ms, std::int64_t now_ms) {
  if (ms == 0) return "";
  return fmt::format("{} ({})", base::iso8601(base::from_millis(ms)),
                     ms > now_ms ? ahead_text(ms, now_ms) : ago_text(ms, now_ms));
}

std::string field_line(std::string_view name, const std::string& value) {
  return fmt::format("{:<14}{}\n", name, value.empty() ? "-" : base::printable(value));
}

}  // namespace holdfast::admin
