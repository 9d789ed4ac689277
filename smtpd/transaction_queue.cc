// Mode `queue`: all mail is kept, and the destination is asked for recipients alone (decision 26).
#include <utility>

#include "smtpd/transaction.h"

namespace holdfast::smtpd {

bool Transaction::closed() {
  const auto state = shared_.book.state(*destination_, base::wall_now());
  return state == mail::DestinationState::kDown || state == mail::DestinationState::kPaused;
}

// Who is known need not be asked for. Who is not, is: what the destination refuses is refused here, and nobody gets a bounce.
void Transaction::verify(Question question) {
  if (closed() && mode_ == Mode::kOpen) return ask_destination(std::move(question));  // which is down: it is not asked
  if (closed() || question.view.standing == Standing::kKnown) return settle(question, judge_unasked(question));
  if (relay_ && relay_->lost()) relay_.reset();
  ask_destination(std::move(question));
}

}  // namespace holdfast::smtpd
