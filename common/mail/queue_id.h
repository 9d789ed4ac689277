// A queue id names a message for as long as we hold it, and is never used twice: the writer number of
// the daemon start that made it (24 bits, given by master, never reused) and a sequence (40 bits). No
// clock is involved (design.md section 4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::mail {

struct QueueId {
  std::uint64_t value = 0;

  static constexpr QueueId make(std::uint32_t writer, std::uint64_t sequence) {
    return {(static_cast<std::uint64_t>(writer) << 40) | (sequence & ((1ULL << 40) - 1))};
  }
  constexpr std::uint32_t writer() const { return static_cast<std::uint32_t>(value >> 40); }
  constexpr bool operator==(const QueueId&) const = default;
  constexpr auto operator<=>(const QueueId&) const = default;

  std::string text() const;                                      // upper-case hex, no leading zeros
  static std::optional<QueueId> parse(std::string_view text);    // either case
};

}  // namespace holdfast::mail
