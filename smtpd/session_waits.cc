// A session's waits: for a client that is slow, and of a client whose errors cost it time.
#include <algorithm>

#include <fmt/core.h>

#include "common/base/log.h"
#include "smtpd/session.h"

namespace holdfast::smtpd {
namespace {

constexpr base::Seconds kLongestPenalty{10};

std::string_view words(Patience::Fault fault) {
  switch (fault) {
    case Patience::Fault::kCommand: return "Timeout, closing the connection";
    case Patience::Fault::kContent: return "The message takes too long";
    case Patience::Fault::kTooSlow: return "The message comes too slowly";
  }
  return "";
}

}  // namespace

// Not while it is us that it waits for.
void Session::look(base::Mono now, const Patience::Rules& rules) {
  if (over_ || opening_ || penalty_ || core_.awaits_answer() || core_.state() == smtp::State::kHandshake) return;
  const auto fault = patience_.look(now, rules);
  if (!fault) return;
  base::log().notice(fmt::format("timeout from {}[{}]: {}", client_.name.empty() ? "unknown" : client_.name, client_.address, words(*fault)));
  close(mail::Reply::make(421, "4.4.2", std::string(words(*fault))));
}

// What was answered with an error waits in the output, and what the client sends waits in the kernel.
void Session::slow_down() {
  const int errors = core_.errors(), before = std::exchange(errors_seen_, errors);
  const auto& rules = shared_.book.config().smtpd;
  const int over = errors - rules.soft_errors;
  if (errors <= before || over <= 0 || place_.trusted() || core_.closing() || penalty_) return;
  penalty_ = std::make_unique<net::Timer>(shared_.loop, [this] {
    penalty_.reset();
    patience_.begin_command(shared_.loop.now());
    pump();
  });
  penalty_->start(std::min<net::Millis>(rules.error_delay * over, kLongestPenalty));
}

}  // namespace holdfast::smtpd
