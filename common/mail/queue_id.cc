#include "common/mail/queue_id.h"

#include <charconv>

#include <fmt/core.h>

namespace holdfast::mail {

std::string QueueId::text() const { return fmt::format("{:X}", value); }

std::optional<QueueId> QueueId::parse(std::string_view text) {
  QueueId id;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), id.value, 16);
  if (ec != std::errc() || end != text.data() + text.size() || id.value == 0) return std::nullopt;
  return id;
}

}  // namespace holdfast::mail
