// What is said of an alert: what happened, since when, how much is held, for how long it will be kept, what to do. Pure;
// the words are printable ASCII whatever came from outside.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "alertd/alert.h"
#include "alertd/alert_book.h"

namespace holdfast::alertd {

// What is known beside the alert itself.
struct Surroundings {
  std::string host;                  // our name
  std::optional<Held> held;          // for its destination, or in the whole queue; nothing: not known
  std::int64_t lifetime_ms = 0;      // of mail for the destination; 0: not one
  std::int64_t repeat_ms = 0;        // 0: it is not repeated
};

// Without id and deliveries.
Notice notice_of(const Alert& alert, What what, const Surroundings& around, std::int64_t now_ms);
// One that means nothing, for `alert test`.
Notice test_notice(const std::string& host, const std::string& user, std::int64_t now_ms);

// "1,204 messages (38.0 MiB)", "1 message (512 B)", "no message".
std::string amount_text(std::uint64_t messages, std::uint64_t bytes);

}  // namespace holdfast::alertd
