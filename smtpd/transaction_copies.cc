// Emergency copies of what is kept (decision 27): written with the original, or not at all.
#include <fmt/core.h>

#include "common/base/log.h"
#include "common/mail/events.h"
#include "common/stats/counters.h"
#include "common/storage/new_message.h"
#include "smtpd/copies.h"
#include "smtpd/room.h"
#include "smtpd/transaction.h"

namespace holdfast::smtpd {

// A pause is no emergency, and a copy that comes back is not copied again. Each copy is the whole message once more: together they
// take no more of the quotas and of the disk than the original leaves.
std::vector<storage::SpoolWriter::Copy> Transaction::make_copies(const mail::Envelope& original) {
  std::vector<storage::SpoolWriter::Copy> out;
  if (config_->copies.empty() || gate_.copy()) return out;
  if (shared_.book.state(*destination_, base::wall_now()) != mail::DestinationState::kDown) return out;
  auto wanted = copies_of(*config_, original);
  if (wanted.empty()) return out;
  const auto size = content_.size();
  Room left = shared_.spool.room();
  left.took(storage::recipient_domains(original), size);
  for (auto& copy : wanted) {
    const auto& target = copy.recipients.front().address;
    const auto domains = storage::recipient_domains(copy);
    const bool room = left.fits(domains, size);
    if (!room || !shared_.space.accepts(shared_.loop.now(), size * (out.size() + 2))) {
      base::log().warning(fmt::format("{}: no copy to <{}>: {}", id_.text(), target,
                                      room ? "the disk is too full" : "a quota of the queue is reached"));
      continue;
    }
    left.took(domains, size);
    const auto id = shared_.next_id();
    copies_.push_back({.id = id, .of = copy.sender, .to = target});
    out.push_back({.id = id, .envelope = std::move(copy)});
  }
  return out;
}

void Transaction::log_copies() const {
  for (const auto& copy : copies_) {
    stats::count(stats::Counter::kMessagesCopied);
    base::log().notice(fmt::format("{}: copy={}, to=<{}>, for=<{}>, while {} is down", id_.text(), copy.id.text(), copy.to, copy.of,
                                   destination_->name));
    base::log().write(mail::events::client(copy.id, client_.name, client_.address));
    base::log().notice(fmt::format("{}: copy_of={}, for=<{}>", copy.id.text(), id_.text(), copy.of));
  }
}

}  // namespace holdfast::smtpd
