// The shape of a queue: how many messages wait by domain and age, as Postfix's qshape shows it. A jam at the head of
// a column is an outage that has just begun; a tail is a domain that never answers. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/storage/queue_index.h"

namespace holdfast::admin {

class Shape {
 public:
  enum class By { kRecipient, kSender };
  // Upper ends of the columns, in minutes; one more column has all that is older.
  static constexpr std::array<int, 9> kMinutes{5, 10, 20, 40, 80, 160, 320, 640, 1280};
  // Senders' domains are the world's to choose: those that come later are counted together as "(others)".
  static constexpr std::size_t kMostDomains = 10'000;

  Shape(By by, std::int64_t now_ms) : by_(by), now_ms_(now_ms) {}

  // Counts once in each domain that it waits for, and once in the total.
  void add(const storage::Listed& item);

  // The total and the greatest `limit` domains, the greatest first.
  std::string text(std::size_t limit) const;
  // The same, an object a line: {"domain", "total", "ages": [{"minutes", "messages"}…]}; the total's domain and the
  // last age's minutes are null.
  std::string json_lines(std::size_t limit) const;

 private:
  struct Row {
    std::uint64_t total = 0;
    std::array<std::uint64_t, kMinutes.size() + 1> ages{};
    void count(std::size_t column) { ++total, ++ages[column]; }
  };
  std::size_t column_of(const storage::Listed& item) const;
  std::vector<std::string> domains_of(const storage::Listed& item) const;
  std::vector<std::pair<std::string, Row>> greatest(std::size_t limit) const;

  const By by_;
  const std::int64_t now_ms_;
  Row total_;
  std::map<std::string, Row, std::less<>> rows_;
};

}  // namespace holdfast::admin
