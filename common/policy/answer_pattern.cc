#include "common/policy/answer_pattern.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "common/base/text.h"

namespace holdfast::policy {
namespace {

std::optional<std::uint8_t> octet(std::string_view text) {
  const auto number = base::to_number(text);
  return number && *number <= 255 && text.size() <= 3 ? std::optional(static_cast<std::uint8_t>(*number)) : std::nullopt;
}

// What stands before the dot that ends an octet ("2..11" has two of its own), and that dot taken away.
std::string_view take_octet(std::string_view& rest) {
  std::size_t end = 0;
  while (end < rest.size() && (rest[end] != '.' || rest.substr(end).starts_with(".."))) end += rest[end] == '.' ? 2 : 1;
  end = std::min(end, rest.size());
  const auto out = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return out;
}

}  // namespace

base::Result<AnswerPattern> AnswerPattern::parse(std::string_view text) {
  AnswerPattern out;
  for (std::string_view part : base::split(text, ',')) {
    std::string_view rest = base::trim(part);
    Form form;
    bool good = true;
    for (auto& slot : form) {
      const auto word = take_octet(rest);
      if (word == "*") continue;
      const auto dots = word.find("..");
      const auto least = octet(word.substr(0, dots)), most = dots == word.npos ? least : octet(word.substr(dots + 2));
      good = good && least && most && *least <= *most;
      if (good) slot = {*least, *most};
    }
    if (!good || !rest.empty()) return base::fail(base::Kind::kConfig, fmt::format("'{}' is no answer such as 127.0.0.2..11", base::printable(part)));
    out.forms_.push_back(form);
  }
  return out;
}

bool AnswerPattern::matches(const std::array<std::uint8_t, 4>& answer) const {
  if (forms_.empty()) return answer[0] == 127 && !(answer[1] == 255 && answer[2] == 255);
  return std::ranges::any_of(forms_, [&](const Form& form) {
    return std::ranges::equal(form, answer, [](const Octet& o, std::uint8_t value) { return value >= o.least && value <= o.most; });
  });
}

}  // namespace holdfast::policy
