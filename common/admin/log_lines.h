// Lines of the daemons' logs, and those among them that speak of one message or address. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::admin {

// "Nov 22 10:00:00 mx holdfast/qmgr[80]: 3F2A91C07B4D: removed". Views into the line.
struct LogLine {
  std::string_view date, host, daemon, pid, id,
      text;  // `id` is empty where none stands; `text` begins behind the colon
  static std::optional<LogLine> parse(std::string_view line);
};

// Seconds since the epoch of a date without a year: the last such moment that is not after `latest_s` (when the file
// was last written) by more than a day. Nothing if it is no date.
std::optional<std::int64_t> log_time(std::string_view date, std::int64_t latest_s);

// What is traced: a queue id, an address (of sender or recipient), "@domain", or a message-id, with or without its
// brackets. All lines are shown to learn() first, in any order; then belongs() knows the ids, those of the bounces that
// came of them too.
class Trace {
 public:
  explicit Trace(std::string_view what);

  // A message that is known to be meant.
  void add(const std::string& id) { ids_.insert(id); }
  // True when that told something new.
  bool learn(const LogLine& line);
  // After the last learn(): what belongs together is followed from message to bounce, and back.
  void settle();
  bool belongs(const LogLine& line) const;

 private:
  bool names_it(std::string_view text) const;

  std::string what_;  // lower case, without brackets
  bool is_domain_ = false;
  std::set<std::string, std::less<>> ids_;
  std::vector<std::pair<std::string, std::string>> reports_;  // message and what was written of it
};

// Lines of one second come from several files: a message's first word before its last.
int order_in_second(std::string_view text);

}  // namespace holdfast::admin
