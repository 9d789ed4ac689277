#include "common/admin/queue_shape.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/admin/table.h"
#include "common/admin/text_json.h"

namespace holdfast::admin {
namespace {

constexpr std::string_view kOthers = "(others)";

std::string domain_of(std::string_view address) {
  const auto at = address.rfind('@');
  return base::to_lower(at == address.npos ? address : address.substr(at + 1));
}

}  // namespace

std::size_t Shape::column_of(const storage::Listed& item) const {
  const auto minutes = std::max<std::int64_t>(0, now_ms_ - item.message.arrival_ms) / 60'000;
  return static_cast<std::size_t>(std::ranges::upper_bound(kMinutes, minutes) - kMinutes.begin());
}

std::vector<std::string> Shape::domains_of(const storage::Listed& item) const {
  if (by_ == By::kSender) return {item.message.sender.empty() ? "MAILER-DAEMON" : domain_of(item.message.sender)};
  std::vector<std::string> out;
  for (const auto& r : item.recipients) {
    const bool waits = r.status == storage::RecipientStatus::kOpen || r.status == storage::RecipientStatus::kRefused;
    if (waits) out.push_back(domain_of(r.address));
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

void Shape::add(const storage::Listed& item) {
  const auto column = column_of(item);
  total_.count(column);
  for (const auto& domain : domains_of(item)) {
    const auto found = rows_.find(domain);
    if (found != rows_.end()) {
      found->second.count(column);
    } else {
      rows_[rows_.size() < kMostDomains ? domain : std::string(kOthers)].count(column);
    }
  }
}

std::vector<std::pair<std::string, Shape::Row>> Shape::greatest(std::size_t limit) const {
  std::vector<std::pair<std::string, Row>> out(rows_.begin(), rows_.end());
  std::ranges::stable_sort(out, [](const auto& a, const auto& b) { return a.second.total > b.second.total; });
  if (out.size() > limit) out.resize(limit);
  return out;
}

std::string Shape::text(std::size_t limit) const {
  std::vector<std::string> heads{"DOMAIN", ">TOTAL"};
  for (const int minutes : kMinutes) heads.push_back(fmt::format(">{}", minutes));
  heads.push_back(fmt::format(">{}+", kMinutes.back()));
  Table table(std::move(heads));
  const auto line = [&](const std::string& domain, const Row& row) {
    std::vector<std::string> cells{domain, fmt::format("{}", row.total)};
    for (const auto count : row.ages) cells.push_back(fmt::format("{}", count));
    table.add(std::move(cells));
  };
  line("TOTAL", total_);
  for (const auto& [domain, row] : greatest(limit)) line(domain, row);
  return "messages by age, in minutes\n" + table.take();
}

std::string Shape::json_lines(std::size_t limit) const {
  const auto line = [](const json& domain, const Row& row) {
    json ages = json::array();
    for (std::size_t i = 0; i < row.ages.size(); ++i) {
      ages.push_back({{"minutes", i < kMinutes.size() ? json(kMinutes[i]) : json()}, {"messages", row.ages[i]}});
    }
    return dump_line({{"domain", domain}, {"total", row.total}, {"ages", ages}});
  };
  std::string out = line(nullptr, total_);
  for (const auto& [domain, row] : greatest(limit)) out += line(domain, row);
  return out;
}

}  // namespace holdfast::admin
