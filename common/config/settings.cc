#include "common/config/settings.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/config/presets.h"
#include "common/config/settings_queue.h"
#include "common/config/values.h"
#include "common/net/tls.h"

namespace holdfast::config {
namespace {

constexpr std::uint64_t kDay = 86400;

std::string delimiter_fault(std::string_view text) {
  if (text.empty()) return "";
  const bool good = text.size() == 1 && std::string_view("+-=_#~!%").find(text) != text.npos;
  return good ? "" : "must be one of + - = _ # ~ ! % or empty";
}

std::string status_pattern_fault(std::string_view text) {
  const auto parts = base::split(text, '.');
  const auto number = [](std::string_view s) { return s.size() <= 3 && base::to_number(s).has_value(); };
  const bool good = parts.size() == 3 && parts[0] == "4" && (number(parts[1]) || parts[1] == "*") &&
                    (number(parts[2]) || parts[2] == "*");
  return good ? "" : "must be an enhanced status code such as 4.1.8 or 4.7.*";
}

std::string server_name_fault(std::string_view text) {
  return text.empty() || is_ip_address(text) ? "" : hostname_fault(text);
}

std::string user_fault(std::string_view text) {
  const bool printable = std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
  return printable && text.size() <= 255 ? "" : "must be 255 characters at most, none of them a control character";
}

std::string account_fault(std::string_view text) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= 32 && text[0] != '-' && std::ranges::all_of(text, good) ? "" : "must be the name of an account";
}

std::string anchors_fault(std::string_view text) {
  return text.empty() || text == "off" || text.starts_with('/') ? "" : "must be a file's absolute name, or off";
}

// clang-format off
const std::vector<Setting<Config>>& host_table() {
  static const std::vector<Setting<Config>> table{
    {{.name = "hostname",
      .doc = "The name this host gives in its banner, its EHLO and its Received lines. It should be one that resolves.",
      .check = hostname_fault, .default_text = "the machine's name"},
     [](Config& c) -> Slot { return &c.hostname; }},
    {{.name = "listen",
      .doc = "Addresses and ports on which mail is taken; [::]:25 is every IPv6 address. A reload opens and closes "
             "listeners without dropping a connection."},
     [](Config& c) -> Slot { return ListenSlot{&c.listen}; }},
    {{.name = "paths.base",
      .doc = "One folder for everything: spool, state, run and log become folders in it. Relative paths count from the "
             "folder of the configuration file.",
      .default_text = "none", .reload = Reload::kRestart},
     [](Config& c) -> Slot { return PathSlot{&c.paths.base}; }},
    {{.name = "paths.spool", .doc = "Kept mail: the segment files and the queue's index. Never on a network file system.",
      .default_text = "/var/spool/holdfast", .reload = Reload::kRestart},
     [](Config& c) -> Slot { return PathSlot{&c.paths.spool}; }},
    {{.name = "paths.state", .doc = "What is known of destinations and recipients, and the writer number.",
      .default_text = "/var/lib/holdfast", .reload = Reload::kRestart},
     [](Config& c) -> Slot { return PathSlot{&c.paths.state}; }},
    {{.name = "paths.run", .doc = "Sockets and locks. Sockets need a short path: 90 characters at most.",
      .default_text = "/run/holdfast", .reload = Reload::kRestart},
     [](Config& c) -> Slot { return PathSlot{&c.paths.run}; }},
    {{.name = "paths.log", .doc = "The log files, one a program.",
      .default_text = "/var/log/holdfast", .reload = Reload::kRestart},
     [](Config& c) -> Slot { return PathSlot{&c.paths.log}; }},
  };
  return table;
}

// What stands behind smtpd's own (settings_smtpd.cc).
const std::vector<Setting<Config>>& service_table() {
  static const std::vector<Setting<Config>> table{
    {{.name = "tls.certificate",
      .doc = "The certificate that we show to clients, with those of its issuers behind it, as a PEM file. STARTTLS is "
             "offered when it is set. It is read again on a reload; while it cannot be used the one before stays."},
     [](Config& c) -> Slot { return FileSlot{&c.tls.own.certificate}; }},
    {{.name = "tls.key", .doc = "Its private key, as a PEM file without a password, which root alone need be able to read: master hands it over."},
     [](Config& c) -> Slot { return FileSlot{&c.tls.own.key}; }},
    {{.name = "tls.names",
      .doc = "More certificates, for clients that ask for a name (SNI): {mx2.example.test: {certificate: FILE, key: FILE}}."},
     [](Config& c) -> Slot { return KeyFilesSlot{&c.tls.names}; }},
    {{.name = "deliver.workers", .doc = "Processes that hand over kept mail; 0 is one a processor core.",
      .range = {0, 256}, .reload = Reload::kRestart},
     [](Config& c) -> Slot { return &c.deliver_workers; }},
    {{.name = "recipient_cache.keep", .doc = "How long a recipient is known after its destination last accepted it.",
      .range = {60, 365 * kDay}},
     [](Config& c) -> Slot { return &c.recipient_cache.keep; }},
    {{.name = "recipient_cache.count_downtime",
      .doc = "`false` stops that clock while the destination is down, so that a long outage forgets nobody."},
     [](Config& c) -> Slot { return &c.recipient_cache.count_downtime; }},
    {{.name = "recipient_cache.max_per_domain", .doc = "Learnt recipients kept of a domain; the oldest go first.",
      .range = {100, 100000000}},
     [](Config& c) -> Slot { return &c.recipient_cache.max_per_domain; }},
    {{.name = "recipient_delimiter",
      .doc = "What parts a mailbox from an extension: with \"+\" user+news@ is known when user@ is. Empty: none. Mail goes "
             "on as it was addressed.",
      .check = delimiter_fault},
     [](Config& c) -> Slot { return &c.recipient_delimiter; }},
    {{.name = "pass_on_4xx",
      .doc = "Temporary refusals that speak of the sender and not of trouble at the destination. They are always passed "
             "on, so that the sender's own server keeps the mail; all other 4xx make us keep it. Replies that speak of "
             "greylisting are always among them.",
      .check = status_pattern_fault},
     [](Config& c) -> Slot { return &c.pass_on_4xx; }},
  };
  return table;
}

// What stands behind the queue's (settings_queue.cc).
const std::vector<Setting<Config>>& bounce_table() {
  static const std::vector<Setting<Config>> table{
    {{.name = "bounces.relay",
      .doc = "The server that takes bounces to senders who are not in our own domains, as host:port. Empty: the servers "
             "(MX) of the sender's domain.",
      .default_text = "`\"\"`"},
     [](Config& c) -> Slot { return RelaySlot{&c.bounce_road.servers}; }},
    {{.name = "bounces.retry",
      .doc = "`none`: a bounce is tried once, at once, and frozen if that fails, for whatever reason. `schedule`: it is "
             "tried like other mail, for senders whose servers greylist.",
      .choices = {"none", "schedule"}},
     [](Config& c) -> Slot { return ChoiceSlot{nullptr, &c.bounces.scheduled}; }},
    {{.name = "bounces.suppress",
      .doc = "Mail whose sender is not told that it could not be delivered, since the sender is likely forged: `unfiltered` "
             "is mail that skipped the filters during an outage, `spam` what the filters called spam.",
      .choices = {"unfiltered", "spam"}},
     [](Config& c) -> Slot { return FlagsSlot{{&c.bounces.suppress_unfiltered, &c.bounces.suppress_spam}}; }},
    {{.name = "bounces.full_limit",
      .doc = "A sender who asked for it (RET=FULL) gets the whole message back if it is not larger; all others get its headers.",
      .range = {0, 100 << 20}, .size = true},
     [](Config& c) -> Slot { return &c.bounces.full_limit; }},
    {{.name = "bounces.mx_port", .doc = "The port of servers that were found by MX. Anything but 25 is for tests.",
      .range = {1, 65535}},
     [](Config& c) -> Slot { return &c.bounces.mx_port; }},
    {{.name = "bounces.tls.policy",
      .doc = "As `tls.policy` of a destination, for `bounces.relay` and the servers found by MX.",
      .choices = {"off", "may", "encrypt", "verify", "pin"}},
     [](Config& c) -> Slot { return ChoiceSlot{&c.bounce_road.tls.policy, nullptr}; }},
    {{.name = "bounces.tls.name",
      .doc = "As `tls.name` of a destination, for `bounces.relay` and the servers found by MX.",
      .check = server_name_fault},
     [](Config& c) -> Slot { return &c.bounce_road.tls.name; }},
    {{.name = "bounces.tls.ca_file",
      .doc = "As `tls.ca_file` of a destination, for `bounces.relay` and the servers found by MX."},
     [](Config& c) -> Slot { return FileSlot{&c.bounce_road.tls.ca_file}; }},
    {{.name = "bounces.tls.pins",
      .doc = "As `tls.pins` of a destination, for `bounces.relay` and the servers found by MX.",
      .check = net::fault_of_pin},
     [](Config& c) -> Slot { return &c.bounce_road.tls.pins; }},
    {{.name = "bounces.tls.certificate",
      .doc = "As `tls.certificate` of a destination, for `bounces.relay` and the servers found by MX."},
     [](Config& c) -> Slot { return FileSlot{&c.bounce_road.tls.own.certificate}; }},
    {{.name = "bounces.tls.key",
      .doc = "As `tls.key` of a destination, for `bounces.relay` and the servers found by MX."},
     [](Config& c) -> Slot { return FileSlot{&c.bounce_road.tls.own.key}; }},
    {{.name = "bounces.tls.dane",
      .doc = "As `tls.dane` of a destination, for servers found by MX.",
      .choices = {"off", "on"}},
     [](Config& c) -> Slot { return ChoiceSlot{nullptr, &c.bounce_road.tls.dane}; }},
    {{.name = "bounces.auth.user",
      .doc = "As `auth.user` of a destination, for `bounces.relay`.",
      .check = user_fault},
     [](Config& c) -> Slot { return &c.bounce_road.auth.user; }},
    {{.name = "bounces.auth.password_file",
      .doc = "As `auth.password_file` of a destination, for `bounces.relay`."},
     [](Config& c) -> Slot { return FileSlot{&c.bounce_road.auth.password_file}; }},
    {{.name = "bounces.auth.plaintext",
      .doc = "As `auth.plaintext` of a destination, for `bounces.relay`.",
      .choices = {"refuse", "allow"}},
     [](Config& c) -> Slot { return ChoiceSlot{nullptr, &c.bounce_road.auth.plaintext}; }},
    {{.name = "frozen.keep",
      .doc = "How long frozen messages (bounces that could not be delivered) are kept before they are deleted. `off`: until "
             "an admin thaws or deletes them.",
      .range = {1, 3650 * kDay}, .zero = "off"},
     [](Config& c) -> Slot { return &c.frozen_keep; }},
    {{.name = "dns.resolvers",
      .doc = "Name servers that are asked for MX records, as address:port. None: those of /etc/resolv.conf."},
     [](Config& c) -> Slot { return ResolversSlot{&c.resolvers}; }},
    {{.name = "dns.trust_anchors",
      .doc = "The keys (DS or DNSKEY records, a file) by which answers about mail servers are validated (DNSSEC); those that "
             "fail it are no answers. Empty: the root's as Debian has it (package dns-root-data), if it is there and the name "
             "servers pass DNSSEC on. `off`: nothing is validated, and there is no DANE.",
      .check = anchors_fault},
     [](Config& c) -> Slot { return &c.trust_anchors; }},
    {{.name = "clock.second_look",
      .doc = "After the machine's clock has jumped by more than an hour nothing is given up, and nobody warned, for so "
             "long; then the clock is believed if it has not jumped again.",
      .range = {1, kDay}},
     [](Config& c) -> Slot { return &c.second_look; }},
    {{.name = "user",
      .doc = "The account that the daemons run as when master is root; master itself stays root. Without an account of the "
             "default's name they run with root's uid, though without its capabilities, and a warning is logged. Certificates, "
             "keys and passwords are read by master: the account need not be able to.",
      .check = account_fault,
      .reload = Reload::kRestart},
     [](Config& c) -> Slot { return &c.user; }},
    {{.name = "sandbox",
      .doc = "Each daemon gives up what it does not need: system calls (seccomp) and folders (Landlock, where the kernel has "
             "it); docs/security.md has the table. `false` is for debuggers that run inside a daemon.",
      .reload = Reload::kRestart},
     [](Config& c) -> Slot { return &c.sandbox; }},
    {{.name = "debug", .doc = "Write more into the logs. `gatewayctl log level` does it without a change here."},
     [](Config& c) -> Slot { return &c.debug; }},
  };
  return table;
}

const std::vector<Setting<Destination>>& destination_table() {
  static const std::vector<Setting<Destination>> table{
    {{.name = "servers",
      .doc = "The servers that take the mail, in order of preference, as host:port or [IPv6 address]:port. The next one is "
             "tried when all addresses of those before it failed. Either these or `mx`.",
      .default_text = "none"},
     [](Destination& d) -> Slot { return ServersSlot{&d.servers}; }},
    {{.name = "mx",
      .doc = "`true`: the servers are those that the domain name system gives for the recipient's domain (MX), ourselves and "
             "all that are not preferred to us left out. So works a backup MX. Each domain is then a destination of its own, "
             "with its own state and queue: `backup/example.org` is what `backup` is for example.org."},
     [](Destination& d) -> Slot { return &d.mx; }},
    {{.name = "mx_port", .doc = "The port of servers that were found by `mx`. Anything but 25 is for tests.",
      .range = {1, 65535}},
     [](Destination& d) -> Slot { return &d.mx_port; }},
    {{.name = "protocol",
      .doc = "What the servers speak. By `lmtp` (RFC 2033, not on port 25) each recipient of a message is answered for himself: "
             "where some take it and others do not, it is kept for those.",
      .choices = {"smtp", "lmtp"}},
     [](Destination& d) -> Slot { return ChoiceSlot{&d.protocol, nullptr}; }},
    {{.name = "client",
      .doc = "How the servers hear whose mail it is, so that they judge the real client and not us; kept mail too. "
             "`xclient`: by XCLIENT, where they offer it to us (Postfix: smtpd_authorized_xclient_hosts). `proxy`: by a PROXY "
             "header of version 2, which they must expect (Postfix: smtpd_upstream_proxy_protocol = haproxy); each client "
             "then has connections of its own.",
      .choices = {"none", "xclient", "proxy"}},
     [](Destination& d) -> Slot { return ChoiceSlot{&d.client, nullptr}; }},
    {{.name = "probe.interval", .doc = "How often a server is looked at in calm times.", .range = {1, kDay}},
     [](Destination& d) -> Slot { return &d.probe.interval; }},
    {{.name = "probe.down_after",
      .doc = "Failures in a row that make a server down. After the first one it is looked at every 5 seconds, or every "
             "interval if that is shorter.",
      .range = {1, 100}},
     [](Destination& d) -> Slot { return &d.probe.down_after; }},
    {{.name = "probe.up_after", .doc = "Good probes in a row that end an outage.", .range = {1, 100}},
     [](Destination& d) -> Slot { return &d.probe.up_after; }},
    {{.name = "timeouts.connect", .doc = "How long a server's address may take to accept a connection.", .range = {1, 600}},
     [](Destination& d) -> Slot { return &d.timeouts.connect; }},
    {{.name = "timeouts.command",
      .doc = "How long the sender waits for the destination's answer to RCPT, over all servers and with connecting; then "
             "the mail of a known recipient is kept. Each other command may take as long.",
      .range = {1, 600}},
     [](Destination& d) -> Slot { return &d.timeouts.command; }},
    {{.name = "timeouts.dot",
      .doc = "How long the answer to the end of a message may take; then the message is kept and may arrive twice.",
      .range = {1, 3600}},
     [](Destination& d) -> Slot { return &d.timeouts.dot; }},
    {{.name = "tls.policy",
      .doc = "Encryption on the way to the servers. `off`: none. `may`: where a server offers STARTTLS, and in the clear "
             "where that fails; after a handshake that failed it is not tried with that server for 10 minutes. `encrypt`: always, whatever the certificate. `verify`: always, and the certificate must "
             "be good for the server's name. `pin`: always, and the server's key must be one of `tls.pins`. Where the last three "
             "fail the mail waits, as if the server were down.",
      .choices = {"off", "may", "encrypt", "verify", "pin"}},
     [](Destination& d) -> Slot { return ChoiceSlot{&d.tls.policy, nullptr}; }},
    {{.name = "tls.name",
      .doc = "The name that the servers' certificates must be for, and that we ask for. Empty: each server's own, as `servers` has it.",
      .check = server_name_fault},
     [](Destination& d) -> Slot { return &d.tls.name; }},
    {{.name = "tls.ca_file",
      .doc = "The CAs that `verify` believes, as a PEM file. Empty: those of the system."},
     [](Destination& d) -> Slot { return FileSlot{&d.tls.ca_file}; }},
    {{.name = "tls.pins",
      .doc = "SHA-256 digests of the servers' public keys, in base64 or hexadecimal, for `pin`. Name the next key beside the present "
             "one before it changes.",
      .check = net::fault_of_pin},
     [](Destination& d) -> Slot { return &d.tls.pins; }},
    {{.name = "tls.certificate",
      .doc = "A certificate of ours for servers that ask for one, as a PEM file."},
     [](Destination& d) -> Slot { return FileSlot{&d.tls.own.certificate}; }},
    {{.name = "tls.key",
      .doc = "Its private key."},
     [](Destination& d) -> Slot { return FileSlot{&d.tls.own.key}; }},
    {{.name = "tls.dane",
      .doc = "With `mx`: a server whose TLSA records DNSSEC vouches for (RFC 7672) is checked by them; then encryption is "
             "required, and mail waits where it fails. Not with `tls.policy` off or pin.",
      .choices = {"off", "on"}},
     [](Destination& d) -> Slot { return ChoiceSlot{nullptr, &d.tls.dane}; }},
    {{.name = "auth.user",
      .doc = "The name we log in by (AUTH PLAIN or LOGIN). Empty: we do not.",
      .check = user_fault},
     [](Destination& d) -> Slot { return &d.auth.user; }},
    {{.name = "auth.password_file",
      .doc = "A file that holds the password, in its first line. It is read at start and on a reload."},
     [](Destination& d) -> Slot { return FileSlot{&d.auth.password_file}; }},
    {{.name = "auth.plaintext",
      .doc = "Whether the password may go to a server in the clear, where TLS is off or fails: then `refuse` makes the mail wait.",
      .choices = {"refuse", "allow"}},
     [](Destination& d) -> Slot { return ChoiceSlot{nullptr, &d.auth.plaintext}; }},
    {{.name = "retry",
      .doc = "When kept mail is tried again while the destination is up but refuses it for now: a name (see below) or a "
             "list of phases."},
     [](Destination& d) -> Slot { return RetrySlot{&d.retry, &d.schedule}; }},
    {{.name = "retry_jitter",
      .doc = "Percent by which each wait is made longer or shorter at random, so that messages which came together do not "
             "come back together.",
      .range = {0, 50}, .default_text = "`5`; with `retry: short` `25`"},
     [](Destination& d) -> Slot { return &d.jitter; }},
    {{.name = "max_connections",
      .doc = "Connections to the destination at a time, of all our processes together. Each process may always have one.",
      .range = {1, 10000}},
     [](Destination& d) -> Slot { return &d.max_connections; }},
  };
  return table;
}

const std::vector<Setting<Domain>>& domain_table() {
  static const std::vector<Setting<Domain>> table{
    {{.name = "destination", .doc = "The destination that takes the domain's mail.", .required = true},
     [](Domain& d) -> Slot { return &d.destination; }},
    {{.name = "mode",
      .doc = "`proxy`: while the destination is up, mail passes through it inside the sender's own session. `queue`: all mail is "
             "spooled first and handed over at once; who is not known as a recipient is asked for at the destination "
             "(docs/modes.md).",
      .choices = {"proxy", "queue"}},
     [](Domain& d) -> Slot { return ChoiceSlot{&d.mode, nullptr}; }},
    {{.name = "local_recipients",
      .doc = "Recipients that are known without having been learnt, so that their mail is always kept: a list, or a "
             "file with one address a line (`#` begins a comment). `sales` means sales@ this domain. postmaster is always "
             "among them. [\"*\"] makes every address known, whether it exists or not."},
     [](Domain& d) -> Slot { return RecipientsSlot{&d.local_recipients, &d.local_recipients_file}; }},
    {{.name = "max_messages", .doc = "Most messages that are kept for the domain; more are answered 452 4.3.1. `none`: no bound.",
      .zero = "none"},
     [](Domain& d) -> Slot { return &d.quota.messages; }},
    {{.name = "max_bytes", .doc = "Most that is kept for the domain, counted by the size of the messages. `none`: no bound.",
      .size = true, .zero = "none"},
     [](Domain& d) -> Slot { return &d.quota.bytes; }},
    {{.name = "while_down.filtering",
      .doc = "What becomes of filtering while the domain's destination is down; `default`: as `while_down.filtering` says for all.",
      .choices = {"default", "bypass", "run"}},
     [](Domain& d) -> Slot { return ChoiceSlot{&d.filtering, nullptr}; }},
    {{.name = "greylist", .doc = "Mail for the domain from those who are not known yet is refused once (450 4.7.1), to be sent again; see the settings of `greylist.`."},
     [](Domain& d) -> Slot { return &d.greylist; }},
  };
  return table;
}
// clang-format on

const std::vector<Setting<Config>>& global_table() {
  static const std::vector<Setting<Config>> table = [] {
    auto all = host_table();
    const auto smtpd = smtpd_settings();
    all.insert(all.end(), smtpd.begin(), smtpd.end());
    const auto admission = admission_settings();
    all.insert(all.end(), admission.begin(), admission.end());
    all.insert(all.end(), service_table().begin(), service_table().end());
    const auto queue = queue_settings();
    all.insert(all.end(), queue.begin(), queue.end());
    all.insert(all.end(), bounce_table().begin(), bounce_table().end());
    const auto alerts = alert_settings();
    all.insert(all.end(), alerts.begin(), alerts.end());
    const auto content = content_settings();
    all.insert(all.end(), content.begin(), content.end());
    const auto filters = filter_settings();
    all.insert(all.end(), filters.begin(), filters.end());
    return all;
  }();
  return table;
}

}  // namespace

std::span<const Setting<Config>> global_settings() { return global_table(); }
std::span<const Setting<Destination>> destination_settings() { return destination_table(); }
std::span<const Setting<Domain>> domain_settings() { return domain_table(); }

}  // namespace holdfast::config
