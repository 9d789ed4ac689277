#include "qmgr/assessment.h"

#include <algorithm>

namespace holdfast::qmgr {
namespace {

using ipc::RecipientStatus;
using ipc::Stage;

bool has(const ipc::Outcome& o, RecipientStatus status) {
  return std::any_of(o.recipients.begin(), o.recipients.end(),
                     [&](const auto& r) { return r.status == static_cast<std::uint8_t>(status); });
}

bool own_verdict(const ipc::Outcome& o) {
  return std::any_of(o.recipients.begin(), o.recipients.end(), [](const auto& r) {
    return r.own_words && r.status == static_cast<std::uint8_t>(RecipientStatus::kRefused);
  });
}

bool before_mail(Stage stage) {
  switch (stage) {
    case Stage::kConnect:
    case Stage::kBanner:
    case Stage::kEhlo:
    case Stage::kStartTls:
    case Stage::kAuth:
      return true;
    default:
      return false;
  }
}

bool closing(const ipc::Outcome& o) {
  return o.code == 421 || std::any_of(o.recipients.begin(), o.recipients.end(),
                                      [](const auto& r) { return r.reply.starts_with("421"); });
}

// The first answer that was not a success.
std::string reason_of(const ipc::Outcome& o) {
  for (const auto& r : o.recipients) {
    if (r.status != static_cast<std::uint8_t>(RecipientStatus::kSent)) return r.reply;
  }
  return {};
}

Sign temporary_sign(const ipc::Outcome& o) {
  const bool mailboxes = std::all_of(o.recipients.begin(), o.recipients.end(), [](const auto& r) {
    return r.stage == Stage::kRcpt && r.dsn.starts_with("4.2.");
  });
  return mailboxes ? Sign::kTempRecipient : Sign::kTempFailed;
}

}  // namespace

Assessment assess(const ipc::Outcome& o, std::string_view sender,
                  const std::vector<storage::RecipientState>& recipients,
                  const std::function<bool(std::string_view)>& still_known) {
  Assessment a;
  a.sender = sender;
  a.reason = reason_of(o);
  if (o.damaged || o.unreadable || o.rescan != ipc::RescanWord::kNone) a.sign = Sign::kDamaged;
  if (o.damaged || o.stage == Stage::kLocal) return a;
  if (own_verdict(o)) {
    a.sign = Sign::kOwnVerdict;
    return a;
  }
  for (const auto& r : o.recipients) {
    if (r.status != static_cast<std::uint8_t>(RecipientStatus::kRefused)) continue;
    if (r.stage == Stage::kData || r.stage == Stage::kContent || r.stage == Stage::kDot) a.after_rcpt = true;
    if (r.index >= recipients.size() || !recipients[r.index].known) continue;
    const auto& address = recipients[r.index].address;
    a.refused.push_back(address);
    if (still_known(address)) a.refused_known.push_back(address);
  }
  if (has(o, RecipientStatus::kSent)) {
    a.sign = Sign::kAccepted;
  } else if (before_mail(o.stage)) {
    a.sign = o.code >= 500 ? Sign::kRefusedSession : Sign::kNoSession;
  } else if (closing(o)) {
    a.sign = Sign::kClosing;
  } else if (o.connection_lost) {
    a.sign = Sign::kLost;
  } else if (o.stage == Stage::kMail && o.code == 0) {
    a.sign = Sign::kNoSession;
  } else if (o.stage == Stage::kMail && o.code >= 500) {
    a.sign = Sign::kRefusedSender;
  } else if (!a.refused_known.empty()) {
    a.sign = Sign::kRefusedKnown;
  } else if (has(o, RecipientStatus::kRefused)) {
    a.sign = Sign::kRefusedOther;
  } else {
    a.sign = temporary_sign(o);
  }
  return a;
}

}  // namespace holdfast::qmgr
