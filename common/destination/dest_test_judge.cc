// What an answer of a server says of it.
#include "common/destination/dest_test.h"

#include <fmt/core.h>

#include "common/base/panic.h"

namespace holdfast::destination {

using Result = Finding::Result;

std::string_view to_text(Result result) {
  switch (result) {
    case Result::kPass: return "pass";
    case Result::kWarn: return "warn";
    case Result::kFail: return "fail";
  }
  base::panic("a result that is none");
}

namespace judge {
namespace {

Finding finding(const char* step, Result result, std::string text) {
  return {.server = {}, .step = step, .result = result, .text = std::move(text)};
}

std::string said(const mail::Reply& reply) { return "it says: " + reply.text(); }

}  // namespace

bool is_greylisting(const mail::Reply& reply) { return mail::is_sender_policy(reply, {"4.7.*"}); }

Finding postmaster(const mail::Reply& reply) {
  constexpr const char* kStep = "postmaster";
  if (reply.positive()) return finding(kStep, Result::kPass, "accepted");
  return finding(kStep, Result::kFail, "RFC 5321 wants it accepted, and probes ask for it; " + said(reply));
}

Finding random_recipient(const mail::Reply& reply) {
  constexpr const char* kStep = "random address";
  if (reply.permanent()) return finding(kStep, Result::kPass, "refused: which recipients exist can be learnt");
  if (reply.positive()) {
    return finding(kStep, Result::kWarn,
                   "accepted: a catch-all, of which nothing can be learnt; only local_recipients and `rcpt import` make mail for it kept");
  }
  return finding(kStep, Result::kWarn, "neither accepted nor refused for good: nothing is known of such a recipient; " + said(reply));
}

Finding null_sender(const mail::Reply& reply) {
  constexpr const char* kStep = "null sender";
  if (reply.positive()) return finding(kStep, Result::kPass, "accepted: bounces and probes can reach it");
  return finding(kStep, Result::kFail, "bounces and probes come from <>; " + said(reply));
}

Finding relaying(const mail::Reply& reply) {
  constexpr const char* kStep = "relaying";
  if (!reply.positive()) return finding(kStep, Result::kPass, "a recipient elsewhere is refused");
  return finding(kStep, Result::kWarn,
                 "a recipient elsewhere is accepted from this host; make sure that it is from no other (an open relay)");
}

Finding greylisting(const mail::Reply& first) {
  constexpr const char* kStep = "greylisting";
  if (first.code == 0) return finding(kStep, Result::kPass, "this host is not greylisted");
  return finding(kStep, Result::kFail, "this host is put off as a stranger: have the server trust it; " + said(first));
}

Finding foreign_sender(const mail::Reply& reply, std::string_view gateway) {
  constexpr const char* kStep = "foreign sender";
  if (!reply.permanent()) return finding(kStep, Result::kPass, "a sender whose SPF leaves this host out is not refused");
  return finding(kStep, Result::kFail,
                 fmt::format("the server checks SPF of {0}, not of the real client, and would refuse good mail. Have it trust this host: "
                             "Postfix mynetworks = {0}/32, or smtpd_authorized_xclient_hosts with `client: xclient` here; Exim "
                             "hostlist relay_from_hosts = {0}; rspamd local_addrs; Exchange: a receive connector for {0}, externally "
                             "secured; {1}",
                             gateway, said(reply)));
}

}  // namespace judge
}  // namespace holdfast::destination
