// A message's content, from DATA to the dot: whether it is one that we take at all.
#include <fmt/core.h>

#include "common/base/log.h"
#include "common/base/time.h"
#include "common/mail/received.h"
#include "common/stats/counters.h"
#include "smtpd/transaction.h"

namespace holdfast::smtpd {

// RFC 6531 section 4.3: "UTF8SMTP", "UTF8SMTPS".
std::string Transaction::protocol() const {
  return smtputf8_ && client_.protocol.starts_with("ESMTP") ? "UTF8" + client_.protocol.substr(1) : client_.protocol;
}

void Transaction::begin_content() {
  if (spools_) relay_.reset();
  const std::string date = base::rfc5322_date(base::wall_now()), protocol = this->protocol();
  std::string head = mail::received_header({.helo = client_.helo,
                                            .client_name = client_.name,
                                            .literal = client_.literal,
                                            .tls = client_.tls,
                                            .by = config_->hostname,
                                            .protocol = protocol,
                                            .id = id_,
                                            .recipient = recipients_.size() == 1 ? recipients_[0].address : "",
                                            .utf8 = smtputf8_,
                                            .date = date});
  if (unfiltered_) head += "X-Holdfast-Unfiltered: yes\r\n";
  if (chain_ == nullptr)
    content_.set_head(std::move(head));
  else
    head_ = std::move(head);
}

void Transaction::content(std::string_view wire) {
  while (const auto piece = gate_.next(wire)) header(*piece);
  if (content_status_ && !wire.empty()) content_status_ = content_.append(wire);
}

void Transaction::header(std::string_view wire) {
  if (content_status_) content_status_ = content_.append(wire);
  header_.append(wire.substr(0, mail::kMaxHeader - header_.size()));
}

// RFC 5321 section 6.3 for the loops.
std::optional<mail::Reply> Transaction::unacceptable_header() const {
  const auto& limits = config_->smtpd;
  if (gate_.octets() > limits.header_size_limit) {
    return mail::Reply::make(552, "5.3.4",
                             fmt::format("Message header is bigger than {} bytes", limits.header_size_limit));
  }
  if (gate_.fields() > static_cast<std::uint64_t>(limits.max_header_fields)) {
    return mail::Reply::make(552, "5.3.4",
                             fmt::format("Message header has more than {} fields", limits.max_header_fields));
  }
  if (gate_.received() > static_cast<std::uint64_t>(limits.max_hops))
    return mail::Reply::make(554, "5.4.6", "Too many hops");
  return std::nullopt;
}

// EHLO told the limit only if all mail goes to one destination.
bool Transaction::too_big_for_destination() const {
  const auto can = shared_.book.last_seen(*destination_);
  return can && can->size && can->size_limit > 0 && octets_ > can->size_limit;
}

std::optional<mail::Reply> Transaction::unacceptable(const smtp::event::ContentEnd& end) const {
  if (end.refusal) return end.refusal;
  if (!content_status_) {
    base::log().warning(fmt::format("{}: content cannot be held: {}", id_.text(), content_status_.error().text));
    return content_status_.error().kind == base::Kind::kNoSpace
               ? mail::Reply::make(452, "4.3.1", "Insufficient system storage")
               : mail::Reply::make(451, "4.3.0", "Local error in processing");
  }
  if (mode_ == Mode::kKept && too_big_for_destination()) {
    return mail::Reply::make(552, "5.3.4", "Message size exceeds what the mail server takes");
  }
  return unacceptable_header();
}

void Transaction::end(const smtp::event::ContentEnd& end, Answer answer) {
  ended_ = shared_.loop.now();
  octets_ = end.octets;
  stats::count(stats::Counter::kReceivedBytes, octets_);
  end_answer_ = std::move(answer);
  if (const auto piece = gate_.finish()) header(*piece);
  if (const auto refusal = unacceptable(end)) {
    relay_.reset();
    refuse_message(*refusal);
    return;
  }
  message_id_ = mail::scan_header(header_).message_id;
  if (!discarded_by_.empty()) return discard(discarded_by_);
  chain_ != nullptr ? filter_content() : dispatch();
}

}  // namespace holdfast::smtpd
