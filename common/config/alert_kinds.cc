#include "common/config/alert_kinds.h"

#include <algorithm>

#include <fmt/core.h>

namespace holdfast::config {
namespace {

// clang-format off
constexpr AlertKind kKinds[] = {
  {.name = "destination_down", .severity = Severity::kCritical, .subject = "destination",
   .title = "{} is down", .all_clear = "{} is up again",
   .raised = "The prober has found every server of the destination to be down.",
   .cleared = "The destination is up and what was kept has been handed over, or the admin has paused it.",
   .cause = "No server of the destination takes mail. Mail for recipients that are known is accepted and kept; other "
            "senders are asked to try again later.",
   .advice = "Look at the server; nothing has to be switched here. Kept mail is handed over by itself once it answers. "
             "See what fails: gatewayctl dest test {}"},
  {.name = "drain_stopped", .severity = Severity::kCritical, .subject = "destination",
   .title = "handing over to {} has stopped", .all_clear = "{} takes its mail again",
   .raised = "The destination is back, but refuses what it was sent before as known and good.",
   .cleared = "It accepts a message again, or is down again.",
   .cause = "A burst of refusals is taken for the server's fault: nothing is bounced, and one message an interval is "
            "tried until one is accepted.",
   .advice = "Look at the server's recipients and filters. What it says: gatewayctl dest show {}"},
  {.name = "mail_expires_soon", .severity = Severity::kCritical, .subject = "destination",
   .title = "mail for {} is about to expire", .all_clear = "no mail for {} is about to expire any more",
   .raised = "The oldest message kept for the destination has less than 24 hours left, or less than half of its lifetime "
             "where that is shorter than two days.",
   .cleared = "None of the oldest has so little time left: it was delivered, extended, held or has expired.",
   .cause = "Messages are kept for a limited time and returned to their senders then.",
   .advice = "Give it more time: gatewayctl queue extend --destination {} --by 2d"},
  {.name = "domain_uncovered", .subject = "domain",
   .title = "no mail for {} would be kept", .all_clear = "mail for {} would be kept again",
   .raised = "Of a week's accepted recipients of the domain, 20 of them at least, none was known.",
   .cleared = "Some of them are known.",
   .cause = "If the domain's server went down now, all its mail would be put off. Usually the server accepts any "
            "recipient (a catch-all), so that nothing can be learnt from it.",
   .advice = "Name the recipients (local_recipients of the domain), or make the server refuse unknown ones. See: "
             "gatewayctl status"},
  {.name = "queue_long",
   .title = "the queue is long", .all_clear = "the queue is short again",
   .raised = "More messages are queued than `alerts.queue_messages` says.",
   .cleared = "It is down to three quarters of that.",
   .cause = "Mail comes in faster than it can be handed over.",
   .advice = "See for whom and why: gatewayctl queue shape"},
  {.name = "queue_old",
   .title = "mail has been queued for long", .all_clear = "no mail has been queued for long any more",
   .raised = "The oldest message in the queue is older than `alerts.queue_age` says.",
   .cleared = "No message is.",
   .cause = "Something is put off again and again, or is held or frozen.",
   .advice = "See it: gatewayctl queue list"},
  {.name = "frozen", .lasting = false, .subject = "destination",
   .title = "undeliverable bounces are frozen", .all_clear = "",
   .raised = "A bounce, or other mail from the null sender, could not be delivered.", .cleared = "",
   .cause = "There is nobody to return it to. It is kept for `frozen.keep` and then deleted.",
   .advice = "Look at them, then thaw or delete: gatewayctl queue list --state frozen"},
  {.name = "held", .lasting = false, .subject = "destination",
   .title = "messages are held", .all_clear = "",
   .raised = "A message was set aside: it skipped the filters and was refused for what it is, or each try to hand it over "
             "broke the connection.", .cleared = "",
   .cause = "Held mail is neither tried nor expires.",
   .advice = "Decide: gatewayctl queue list --state held, then queue release, bounce or delete"},
  {.name = "spool_reserve", .severity = Severity::kCritical,
   .title = "the spool's disk is nearly full", .all_clear = "the spool's disk has room again",
   .raised = "Less is free than `spool.reserve` leaves alone.",
   .cleared = "More is free again.",
   .cause = "New mail that would be kept is answered 452; what is kept is still delivered.",
   .advice = "Make room on that file system. See: gatewayctl status"},
  {.name = "spool_fails", .severity = Severity::kCritical, .subject = "daemon",
   .title = "{} cannot write the spool", .all_clear = "{} writes the spool again",
   .raised = "A write or a sync of the spool failed.",
   .cleared = "One went well, or the daemon was started anew.",
   .cause = "Mail that would be kept is answered 451 or 452. Nothing that was accepted is lost.",
   .advice = "Look at the disk (dmesg) and at smtpd.log."},
  {.name = "index_fails", .severity = Severity::kCritical,
   .title = "the queue's index cannot be written", .all_clear = "the queue's index is written again",
   .raised = "A commit of the index failed.",
   .cleared = "One went well, or qmgr was started anew.",
   .cause = "No queued mail is handed over meanwhile, and nothing is lost.",
   .advice = "Look at the disk (dmesg) and at qmgr.log."},
  {.name = "spool_damage", .severity = Severity::kCritical, .lasting = false,
   .title = "damaged mail was found in the spool", .all_clear = "",
   .raised = "What was read from the spool does not bear its checksum.", .cleared = "",
   .cause = "The disk, or somebody, has changed it. What can be made out was set aside in the spool's folder `corrupt`.",
   .advice = "Look at the disk (dmesg, smartctl) and at qmgr.log."},
  {.name = "quota_reached", .subject = "domain",
   .title = "the quota of {} is used up", .all_clear = "the quota of {} has room again",
   .raised = "As much is kept for the domain (or in `all`) as its `max_messages` or `max_bytes` allow.",
   .cleared = "There has been room for a while, or qmgr was started anew.",
   .cause = "More mail for it is answered 452 4.3.1.",
   .advice = "See what fills it: gatewayctl queue shape"},
  {.name = "daemon_died", .severity = Severity::kCritical, .lasting = false, .subject = "daemon",
   .title = "{} died and is started again", .all_clear = "",
   .raised = "A daemon ended although nobody had asked it to.", .cleared = "",
   .cause = "Mail goes on through the others. One that dies again and again is started ever later.",
   .advice = "Look at its log and at master.log; what it says helps us to mend it."},
  {.name = "filter_failing", .severity = Severity::kCritical, .subject = "filter",
   .title = "the filter {} fails", .all_clear = "the filter {} works again",
   .raised = "It does not answer, breaks the protocol, or takes longer than it may.",
   .cleared = "It has done its work for a message again, or smtpd was started anew.",
   .cause = "Mail that it should look at meets what its `on_failure` says: it is put off, let through or refused.",
   .advice = "Look at the filter and its log. See: gatewayctl filter test {}"},
  {.name = "certificate_expires", .subject = "file",
   .title = "the certificate {} expires", .all_clear = "the certificate {} was renewed",
   .raised = "It ends within `alerts.certificate`.",
   .cleared = "The file holds one that lasts longer.",
   .cause = "Clients that verify it will not speak TLS with us from then on.",
   .advice = "Renew it, then: gatewayctl config reload"},
  {.name = "possible_duplicate", .lasting = false, .subject = "destination",
   .title = "mail for {} may have arrived twice", .all_clear = "",
   .raised = "The connection was lost after a message was sent and before its answer came.", .cleared = "",
   .cause = "Nobody can know whether the server has taken it; it is sent again rather than lost.",
   .advice = "Nothing, if it stays rare. If not, look for what cuts the connections: a firewall, or a server that is slow to "
             "answer (timeouts.dot)."},
  {.name = "clock_jump", .lasting = false,
   .title = "the machine's clock has jumped", .all_clear = "",
   .raised = "The wall clock moved by more than an hour against the time that has passed.", .cleared = "",
   .cause = "Nothing is given up and nobody is warned for `clock.second_look`.",
   .advice = "Look at the machine's time service."},
};
// clang-format on

constexpr std::string_view kReferenceHead =
    R"(# Alerts

Made from the table of alerts by `gatewayctl alert reference`; do not edit. Change common/config/alert_kinds.cc
and run `make doc`.

alertd tells of what follows by mail, webhooks or a command (`alerts` in [settings.md](settings.md)), by a road that
does not need the server that is down. Each is sent the moment it is there, again every `alerts.repeat` while it
lasts, and closed by an all-clear. Things that happen at a moment are told once in that time, with their number. What
comes and goes three times within 15 minutes is told of once more, as flapping, and then when it has been calm
for 15 minutes. What could not be sent is tried again, by each road for itself, and outlives restarts.

    gatewayctl alert list                    what is open, and how each road does
    gatewayctl alert test                    sends one by each road and says what the other side answered
    gatewayctl alert ack ID                  no repeats of this one; its all-clear still comes
    gatewayctl alert silence KIND --for 2h   or SUBJECT, or KIND:SUBJECT: nothing of it is sent
    gatewayctl alert unsilence KIND

`alerts.ignore` is for kinds that nobody wants to hear of. If Holdfast as a whole is not there, nobody can be told by
it: let something else look at the port.

## Roads

Mail goes by submission (port 587 with STARTTLS, 465 with TLS), never by a server of a destination: `config check`
refuses such a relay. Each address is a road of its own: it is tried at each of the relays in order, and one address
that is refused does not keep the others from hearing. Without `alerts.mail.from` the envelope has the null sender, so that
nothing is ever returned; where the relay wants a sender of its own, give it.

    alerts:
      mail: {to: [admin@elsewhere.test], relays: ["smtp.elsewhere.test:587"], auth: {user: gateway, password_file: /etc/holdfast/alert-password}}
      webhooks:
        - {url: "https://hooks.slack.example/services/T0/B0/xyz", format: slack}
        - {url: "https://ntfy.sh/our-mail-gateway", format: ntfy}
        - {url: "http://alertmanager.example:9093/api/v2/alerts", format: alertmanager}
        - {url: "https://alerts.example.test/hook", format: json, token_file: /etc/holdfast/hook-token}
        - {url: "https://chat.example.test/send", format: template, template: '{"room": 7, "body": {{text_json}}}'}
      command: [/usr/local/bin/page-me, --urgent]

A webhook is good when it answers 2xx; redirects are not followed. `{{NAME}}` in a template is replaced by a value, escaped
for the inside of a JSON text; `{{NAME_json}}` by the same as a JSON value. The names: `id`, `alert`, `kind`, `subject`,
`severity`, `what` (opened, repeated, flapping, calm, cleared, test), `title`, `text`, `cause`, `since`, `until`, `held`,
`held_bytes`, `count`, `host`.

The command gets the same as HOLDFAST_ID, HOLDFAST_KIND and so on in its environment and as one JSON object on standard input.
It is no shell's: what is in it cannot act. It must end with 0 within `alerts.command_limit`. It runs as the
account of the daemons (`user`), without any privilege: setuid programs such as sudo give it none.

## Kinds

)";

}  // namespace

std::string_view to_text(Severity severity) { return severity == Severity::kCritical ? "critical" : "warning"; }

std::span<const AlertKind> alert_kinds() { return kKinds; }

const AlertKind* find_alert_kind(std::string_view name) {
  const auto found = std::ranges::find(kKinds, name, &AlertKind::name);
  return found == std::end(kKinds) ? nullptr : found;
}

std::string about(std::string_view words, std::string_view subject) {
  std::string out;
  for (auto at = words.find("{}"); at != words.npos; at = words.find("{}")) {
    out.append(words.substr(0, at)).append(subject);
    words.remove_prefix(at + 2);
  }
  return out.append(words);
}

std::string alert_reference() {
  std::string out(kReferenceHead);
  for (const auto& kind : kKinds) {
    const std::string subject = fmt::format("{}", kind.subject.empty() ? "the gateway as a whole" : kind.subject);
    const std::string placeholder = kind.subject == "destination" ? "NAME" : kind.subject == "domain" ? "DOMAIN"
                                    : kind.subject == "file"      ? "FILE"
                                    : kind.subject == "filter"    ? "FILTER" : "DAEMON";
    out += fmt::format("### {}\n\n\"{}\". Severity: {}. About: {}.\n\n", kind.name, about(kind.title, placeholder), to_text(kind.severity),
                       subject);
    out += fmt::format("Raised: {}{}\n\n{}\n\nWhat to do: {}\n\n", kind.raised,
                       kind.lasting ? fmt::format(" All-clear: {}", kind.cleared) : " It has no all-clear.", kind.cause,
                       about(kind.advice, placeholder));
  }
  out.pop_back();
  return out;
}

}  // namespace holdfast::config
