#include "smtpd/judgement.h"

#include <algorithm>

#include <fmt/core.h>

namespace holdfast::smtpd {
namespace {

using mail::Reply;
using Outcome = RcptVerdict::Outcome;

Reply unreachable(std::string_view recipient) {
  return Reply::make(451, "4.4.1",
                     fmt::format("<{}>: Recipient address rejected: the mail server is not reachable, try again later",
                                 recipient));
}

Reply unresolved(std::string_view recipient) {
  return Reply::make(451, "4.4.3",
                     fmt::format("<{}>: Recipient address rejected: the domain's mail servers cannot be found, try again later",
                                 recipient));
}

// The destination's 421 ends its connection with us, not ours with the client.
Reply passed_on(Reply reply) {
  if (reply.code == 421) reply.code = 451;
  return reply;
}

RcptVerdict keep(Standing standing, std::string_view recipient, Reply otherwise) {
  if (standing == Standing::kKnown) return {Outcome::kKept, Reply::make(250, "2.1.5", "Ok")};
  if (standing == Standing::kDenied) {
    return {Outcome::kRefused,
            Reply::make(550, "5.1.1", fmt::format("<{}>: Recipient address rejected: User unknown", recipient))};
  }
  return {Outcome::kRefused, std::move(otherwise)};
}

}  // namespace

bool names_another_host(const mail::Address& recipient) {
  return recipient.local.find_first_of("@%!") != std::string::npos;
}

RcptVerdict judge_without_destination(Standing standing, std::string_view recipient) {
  return keep(standing, recipient, unreachable(recipient));
}

RcptVerdict judge_rcpt(const Word& word, Standing standing, bool live, std::string_view recipient,
                       const std::vector<std::string>& pass_on_4xx) {
  if (word.from == Word::From::kRcpt && word.reply.positive()) return {Outcome::kLive, word.reply};
  if (word.reply.permanent()) return {Outcome::kRefused, word.reply};
  if (word.from == Word::From::kNobody) {
    const auto otherwise = word.unresolved ? unresolved(recipient) : unreachable(recipient);
    return live ? RcptVerdict{Outcome::kRefused, otherwise} : keep(standing, recipient, otherwise);
  }
  if (live || mail::is_sender_policy(word.reply, pass_on_4xx)) return {Outcome::kRefused, passed_on(word.reply)};
  return keep(standing, recipient, passed_on(word.reply));
}

Word sum_up(const std::vector<mail::Reply>& answers, std::size_t recipients) {
  if (answers.empty()) return {};
  Word word{.from = Word::From::kDot, .reply = answers.front()};
  const auto taken = static_cast<std::size_t>(std::ranges::count_if(answers, &mail::Reply::positive));
  if (taken == recipients) return word;
  if (taken == 0) {
    const auto later = std::ranges::find_if(answers, &mail::Reply::temporary);
    if (later != answers.end()) word.reply = *later;
    return word;
  }
  word.reply = *std::ranges::find_if(answers, &mail::Reply::positive);
  for (const auto& answer : answers) word.taken.push_back(answer.positive());
  word.taken.resize(recipients, false);
  return word;
}

stats::Answer answer_of(const Word& end) {
  if (end.reply.positive()) return stats::Answer::kAccepted;
  if (end.reply.permanent()) return stats::Answer::kRefused;
  return end.reply.temporary() ? stats::Answer::kDeferred : stats::Answer::kFailed;
}

EndVerdict judge_end(const Word& word, bool keepable, const std::vector<std::string>& pass_on_4xx) {
  if (word.reply.positive() || word.reply.permanent()) return {false, word.reply};
  if (word.reply.temporary() && mail::is_sender_policy(word.reply, pass_on_4xx)) return {false, passed_on(word.reply)};
  if (keepable) return {true, {}};
  if (word.reply.temporary()) return {false, passed_on(word.reply)};
  return {false, Reply::make(451, "4.4.2", "The connection to the mail server was lost, try again later")};
}

}  // namespace holdfast::smtpd
