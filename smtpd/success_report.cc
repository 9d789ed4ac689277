#include "smtpd/success_report.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "common/base/log.h"
#include "common/base/time.h"
#include "common/config/report_road.h"
#include "common/mail/delivery_report.h"
#include "common/mail/events.h"
#include "common/storage/content.h"

namespace holdfast::smtpd {
namespace {

mail::ReportKind kind_of(const Taken& taken) {
  const auto* destination = taken.config.find_destination(taken.envelope.destination);
  return destination != nullptr && destination->protocol == "lmtp" ? mail::ReportKind::kDelivered : mail::ReportKind::kRelayed;
}

mail::ReportFacts facts_of(const Taken& taken, mail::ReportKind kind) {
  const auto& envelope = taken.envelope;
  mail::ReportFacts facts{.kind = kind,
                          .id = taken.shared.next_id(),
                          .original = taken.id,
                          .hostname = taken.config.hostname,
                          .now_ms = base::to_millis(base::wall_now()),
                          .arrival_ms = envelope.arrival_ms,
                          .last_attempt_ms = envelope.arrival_ms,
                          .sender = envelope.sender,
                          .envid = envelope.envid,
                          .message_id = envelope.message_id,
                          .recipients = {},
                          .content = std::string(taken.header)};
  for (const auto& r : envelope.recipients) {
    if (!mail::wants_report(r.notify, kind)) continue;
    facts.recipients.push_back({.address = r.address,
                                .orcpt = r.orcpt,
                                .status = taken.word.reply.dsn(),
                                .reply = taken.word.reply.text(),
                                .remote = taken.word.relay});
  }
  return facts;
}

mail::Envelope envelope_of(const Taken& taken, const mail::ReportFacts& facts, const mail::Report& report) {
  mail::Envelope out;
  out.recipients = {{.address = facts.sender, .orcpt = {}, .notify = "NEVER", .known = false}};
  out.destination = config::report_destination(taken.config, facts.sender);
  out.arrival_ms = facts.now_ms;
  out.smtputf8 = report.smtputf8;
  out.body = report.eight_bit ? mail::Body::k8BitMime : mail::Body::k7Bit;
  out.message_id = report.message_id;
  out.report_of = taken.id.value;
  return out;
}

void not_told(mail::QueueId id, const base::Error& why) {
  base::log().warning(fmt::format("{}: sender not notified: {}", id.text(), why.text));
}

}  // namespace

bool wants_success_report(std::string_view sender, const std::vector<mail::Recipient>& recipients) {
  return !sender.empty() && std::ranges::any_of(recipients, [](const mail::Recipient& r) {
    return !r.notify.empty() && mail::wants_report(r.notify, mail::ReportKind::kRelayed);
  });
}

void report_success(const Taken& taken) {
  const auto kind = kind_of(taken);
  const auto facts = facts_of(taken, kind);
  const auto report = mail::build_report(facts);
  storage::Content content(taken.shared.spool.contents_folder());
  if (const auto held = content.append(report.content); !held) return not_told(taken.id, held.error());
  taken.shared.spool.keep(facts.id, envelope_of(taken, facts, report), std::move(content), {},
                          [id = taken.id, its = facts.id](const base::Status& kept) {
                            if (!kept) return not_told(id, kept.error());
                            base::log().write(mail::events::bounce_queued(id, its, "sender delivery status notification"));
                          });
}

}  // namespace holdfast::smtpd
