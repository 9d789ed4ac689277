// What each destination answered and how long that took: a table of fixed size in a process's page (page.h), one row a
// destination. Counting takes a look through the rows; only the first count of a destination takes a lock.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/stats/counters.h"

namespace holdfast::stats {

// Of a message that was offered to it: the best that any of its recipients heard.
enum class Answer : std::uint8_t {
  kAccepted,
  kDeferred,  // 4xx
  kRefused,   // 5xx
  kFailed,    // none came: no server was to be had, or the connection failed
  kSize,
};
std::string_view to_text(Answer answer);

inline constexpr std::size_t kAnswers = static_cast<std::size_t>(Answer::kSize);

struct DestinationNumbers {
  std::array<std::uint64_t, kAnswers> answers{};
  HistogramNumbers seconds{};  // until the answer came, where one did

  std::uint64_t operator[](Answer a) const { return answers[static_cast<std::size_t>(a)]; }
  DestinationNumbers& operator+=(const DestinationNumbers& other);
  bool operator==(const DestinationNumbers&) const = default;
};

// By the destination's name. There are at most kMostDestinations; what comes later counts for kOthers.
using Destinations = std::map<std::string, DestinationNumbers, std::less<>>;
inline constexpr std::size_t kMostDestinations = 1000;
inline constexpr std::string_view kOthers = "(others)";  // no destination has such a name
void add(Destinations& to, const Destinations& more);

struct DestinationTable {
  static constexpr std::size_t kNamed = 63;
  static constexpr std::size_t kNameBytes = 320;  // a name of 64, '/', a domain (config/mx.h)

  struct Row {
    std::array<char, kNameBytes> name;  // ends with a zero byte
    DestinationNumbers numbers;
  };
  std::uint64_t used;                   // rows that have a name
  std::array<Row, kNamed + 1> rows;     // the last is of all that found no row
};

// From any thread. Nothing happens in a process that has no page.
void count_answer(std::string_view destination, Answer answer, std::chrono::nanoseconds took);

// As they are now, whoever writes there: a row whose name no destination can have is left out.
Destinations read_table(const DestinationTable& table);
// Rows that were never used are not touched, and so take no memory.
void clear_table(DestinationTable& table);

namespace detail {
inline DestinationTable* destinations = nullptr;  // set once, before there are threads (page.h)
}

}  // namespace holdfast::stats
