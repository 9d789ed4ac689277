// Whom we refused, by the logs: smtpd's lines "NOQUEUE: reject: …", and "milter-reject" for a filter's word; a message
// that is refused at its end has its id in the place of NOQUEUE. Pure, but for refused_while_down().
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/admin/log_files.h"
#include "common/base/error.h"

namespace holdfast::admin {

struct Rejection {
  std::int64_t when_s = 0;
  std::string reply;  // "451 4.4.1"
  std::string why;    // "Recipient address rejected: the mail server is not reachable, try again later"
  std::string sender, recipient;
  bool by_filter = false;
};
// What such a line tells; nothing else has a value. `latest_s` as in log_time().
std::optional<Rejection> rejection_in(std::string_view line, std::int64_t latest_s);

// A recipient whom nobody knew while its destination was down: its sender was asked to try again later. A filter's refusals
// say nothing of that.
struct RefusedRecipient {
  std::string address, last_sender;
  std::int64_t last_s = 0;
  std::uint64_t times = 0;
};

// Of all that were refused the latest kMost: a dictionary attack must not fill the memory.
class RefusedList {
 public:
  static constexpr std::size_t kMost = 10'000;

  void add(const Rejection& rejection);
  // The latest first.
  std::vector<RefusedRecipient> list() const;

 private:
  void forget_oldest();
  std::map<std::string, RefusedRecipient, std::less<>> recipients_;
};

// As far as the logs go back. kTemporary when `go_on` says no.
base::Result<std::vector<RefusedRecipient>> refused_while_down(const std::string& log_folder, const GoOn& go_on = always);

// {"address", "times", "last", "last_sender"} and a newline.
std::string refused_json(const RefusedRecipient& refused);
std::string refused_text(const std::vector<RefusedRecipient>& refused, std::size_t most, std::int64_t now_ms);

}  // namespace holdfast::admin
