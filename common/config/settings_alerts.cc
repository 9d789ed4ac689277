// The settings of alertd: its rows of global_settings().
#include <algorithm>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/config/alert_kinds.h"
#include "common/config/settings.h"
#include "common/config/values.h"

namespace holdfast::config {
namespace {

constexpr std::uint64_t kDay = 86400;

std::string address_fault(std::string_view text) {
  const auto at = text.rfind('@');
  if (at == text.npos) return "has no @";
  if (auto fault = local_part_fault(text.substr(0, at)); !fault.empty()) return fault;
  return hostname_fault(text.substr(at + 1));
}

std::string kind_fault(std::string_view text) {
  if (find_alert_kind(text) != nullptr) return "";
  std::vector<std::string> known;
  for (const auto& kind : alert_kinds()) known.emplace_back(kind.name);
  const auto near = base::nearest(text, known);
  return "is no kind of alert" + (near ? fmt::format(" (did you mean '{}'?)", *near) : " (see docs/alerts.md)");
}

std::string user_fault(std::string_view text) {
  const bool printable = std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
  return printable && text.size() <= 255 ? "" : "must be 255 characters at most, none of them a control character";
}

std::string word_fault(std::string_view text) {
  return text.find('\0') == text.npos ? "" : "must not have a zero byte";
}

// clang-format off
const std::vector<Setting<Config>>& alert_table() {
  static const std::vector<Setting<Config>> table{
    {{.name = "alerts.mail.to",
      .doc = "Who is told by mail of trouble and of its end: addresses that do not depend on the servers behind this gateway.",
      .check = address_fault},
     [](Config& c) -> Slot { return &c.alerts.to; }},
    {{.name = "alerts.mail.from",
      .doc = "The sender of that mail. Empty: holdfast@ our host name, with the null sender in the envelope, so that nothing is "
             "ever returned.",
      .check = [](std::string_view text) { return text.empty() ? std::string() : address_fault(text); }},
     [](Config& c) -> Slot { return &c.alerts.from; }},
    {{.name = "alerts.mail.relays",
      .doc = "The servers that take it, in order, as host:port (587 if none is said; 465 is TLS from the first byte). A server of "
             "one of our destinations is refused here, since it may be the one that is down."},
     [](Config& c) -> Slot { return RelaysSlot{&c.alerts.relays}; }},
    {{.name = "alerts.mail.auth.user", .doc = "The name we log in by there. Empty: we do not.", .check = user_fault},
     [](Config& c) -> Slot { return &c.alerts.auth.user; }},
    {{.name = "alerts.mail.auth.password_file",
      .doc = "A file that holds the password, in its first line. It is read at the start and on a reload."},
     [](Config& c) -> Slot { return FileSlot{&c.alerts.auth.password_file}; }},
    {{.name = "alerts.mail.tls.policy",
      .doc = "`off`: none. `may`: where the relay offers STARTTLS. `encrypt`: always, whatever the certificate. `verify`: "
             "always, and the certificate must be good for the relay's name. To log in takes one of the last two.",
      .choices = {"off", "may", "encrypt", "verify"}},
     [](Config& c) -> Slot { return ChoiceSlot{&c.alerts.tls, nullptr}; }},
    {{.name = "alerts.mail.tls.ca_file", .doc = "The CAs that `verify` believes, as a PEM file. Empty: those of the system."},
     [](Config& c) -> Slot { return FileSlot{&c.alerts.ca_file}; }},
    {{.name = "alerts.webhooks",
      .doc = "Receivers of an HTTP POST, each {url: …} with `format` (`json`, `slack`, `ntfy`, `alertmanager`, or `template` "
             "with `template: '…{{text}}…'`), `content_type`, `headers` (a list of \"Name: value\"), `token_file` (sent as "
             "a bearer token) and `ca_file`. See alerts.md."},
     [](Config& c) -> Slot { return WebhooksSlot{&c.alerts.webhooks}; }},
    {{.name = "alerts.command",
      .doc = "A program with its arguments that is run for each alert, never by a shell, as the account of the daemons: [/usr/local/bin/page]. "
             "It gets the facts in its environment and as JSON on its standard input.",
      .check = word_fault},
     [](Config& c) -> Slot { return &c.alerts.command; }},
    {{.name = "alerts.command_limit", .doc = "How long that program may run before it is killed.", .range = {1, 600}},
     [](Config& c) -> Slot { return &c.alerts.command_limit; }},
    {{.name = "alerts.repeat", .doc = "How often an alert that lasts is sent again. `off`: never.",
      .range = {60, 30 * kDay}, .zero = "off"},
     [](Config& c) -> Slot { return &c.alerts.repeat; }},
    {{.name = "alerts.ignore", .doc = "Kinds of alerts that nobody is to hear of (alerts.md lists them).", .check = kind_fault},
     [](Config& c) -> Slot { return &c.alerts.ignore; }},
    {{.name = "alerts.queue_messages", .doc = "More queued messages than this are an alert. `none`: no number is.",
      .range = {1, 1'000'000'000}, .zero = "none"},
     [](Config& c) -> Slot { return &c.alerts.queue_messages; }},
    {{.name = "alerts.queue_age", .doc = "A queued message older than this is an alert. `none`: no age is.",
      .range = {60, 365 * kDay}, .zero = "none"},
     [](Config& c) -> Slot { return &c.alerts.queue_age; }},
    {{.name = "alerts.certificate", .doc = "A certificate of ours that ends within this time is an alert. `off`: it is none.",
      .range = {3600, 365 * kDay}, .zero = "off"},
     [](Config& c) -> Slot { return &c.alerts.certificate; }},
    {{.name = "alerts.report.every",
      .doc = "How often a report of what passed, was refused, queued and bounced goes out by mail, over alerts.mail.relays: each "
             "day, or each Monday. See report.md.",
      .choices = {"off", "daily", "weekly"}},
     [](Config& c) -> Slot { return ChoiceSlot{&c.alerts.report.every, nullptr}; }},
    {{.name = "alerts.report.at", .doc = "How long after midnight, by the clock of this machine: 6h, 6h30m.", .range = {0, kDay - 1}},
     [](Config& c) -> Slot { return &c.alerts.report.at; }},
    {{.name = "alerts.report.to", .doc = "Who gets it. Nobody: those of alerts.mail.to.", .check = address_fault},
     [](Config& c) -> Slot { return &c.alerts.report.to; }},
  };
  return table;
}
// clang-format on

}  // namespace

std::span<const Setting<Config>> alert_settings() { return alert_table(); }

}  // namespace holdfast::config
