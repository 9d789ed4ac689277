#include "filter/answer.h"

#include <algorithm>

#include <fmt/core.h>

namespace holdfast::filter {
namespace {

std::string doubled(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '%' ? 2 : 1, c);
  return out;
}

}  // namespace

Answer answer_to(const Report& report) {
  const Finding* worst = report.worst();
  if (worst == nullptr) return {};
  return {worst->action, worst->action == Action::kReject ? doubled(worst->text) : worst->text};
}

std::string log_text(const Report& report) {
  constexpr std::size_t kMost = 5;
  auto findings = report.findings;
  std::ranges::stable_sort(findings, std::ranges::greater{}, &Finding::action);
  std::string out;
  for (std::size_t i = 0; i < std::min(findings.size(), kMost); ++i) {
    const auto& f = findings[i];
    out += fmt::format("{}content={}, rule={}, {}", i == 0 ? "" : "; ", to_text(f.action), to_text(f.rule), f.text);
  }
  if (findings.size() > kMost) out += fmt::format("; and {} more", findings.size() - kMost);
  return out;
}

}  // namespace holdfast::filter
