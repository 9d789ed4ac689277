#include "smtpd/patience.h"

namespace holdfast::smtpd {
namespace {

constexpr base::Seconds kMinute{60};

}  // namespace

void Patience::begin_command(base::Mono now) {
  since_ = now;
  in_content_ = false;
}

void Patience::begin_content(base::Mono now) {
  since_ = minute_ = now;
  octets_ = 0;
  in_content_ = true;
}

std::optional<Patience::Fault> Patience::look(base::Mono now, const Rules& rules) {
  if (!in_content_) return now - since_ > rules.command ? std::optional(Fault::kCommand) : std::nullopt;
  if (now - since_ > rules.content) return Fault::kContent;
  if (now - minute_ < kMinute) return std::nullopt;
  // A pause is the affair of smtpd.data_timeout: a client may have to work for its next line.
  const auto seconds = std::chrono::duration_cast<base::Seconds>(now - minute_).count();
  const bool slow = octets_ > 0 && octets_ < rules.min_rate * static_cast<std::uint64_t>(seconds);
  minute_ = now;
  octets_ = 0;
  return slow ? std::optional(Fault::kTooSlow) : std::nullopt;
}

}  // namespace holdfast::smtpd
