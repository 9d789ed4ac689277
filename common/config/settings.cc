#include "common/config/settings.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/config/presets.h"
#include "common/config/values.h"

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

// clang-format off
const std::vector<Setting<Config>>& global_table() {
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
    {{.name = "smtpd.workers", .doc = "Processes that speak SMTP with clients; 0 is one a processor core.",
      .range = {0, 256}, .reload = Reload::kRestart},
     [](Config& c) -> Slot { return &c.smtpd.workers; }},
    {{.name = "smtpd.max_clients", .doc = "Clients a worker serves at a time; more are sent away with 421.",
      .range = {1, 500000}},
     [](Config& c) -> Slot { return &c.smtpd.max_clients; }},
    {{.name = "smtpd.message_size_limit",
      .doc = "The largest message taken. It is announced by SIZE and answered by 552 5.3.4.",
      .range = {64 << 10, 2ULL << 30}, .size = true},
     [](Config& c) -> Slot { return &c.smtpd.message_size_limit; }},
    {{.name = "smtpd.max_recipients", .doc = "Recipients of one message; more get 452 4.5.3. RFC 5321 asks for at least 100.",
      .range = {100, 50000}},
     [](Config& c) -> Slot { return &c.smtpd.max_recipients; }},
    {{.name = "smtpd.command_timeout", .doc = "How long a client may take for its next command before it is sent away with 421.",
      .range = {1, kDay}},
     [](Config& c) -> Slot { return &c.smtpd.command_timeout; }},
    {{.name = "smtpd.data_timeout", .doc = "How long a client may pause in the middle of a message's content.",
      .range = {1, kDay}},
     [](Config& c) -> Slot { return &c.smtpd.data_timeout; }},
    {{.name = "smtpd.bare_newline",
      .doc = "What becomes of content with a CR or LF that is not part of a CRLF. `reject` answers 550 5.6.11; `normalize` "
             "makes each a CRLF, which breaks DKIM signatures. Servers that read such bytes differently can be made to "
             "see two messages in one, so they are never passed on as they are.",
      .choices = {"reject", "normalize"}},
     [](Config& c) -> Slot { return ChoiceSlot{nullptr, &c.smtpd.bare_newline_normalize}; }},
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
    {{.name = "queue.max_messages",
      .doc = "Most messages that are kept, of all domains together; more are answered 452 4.3.1. `none`: no bound.",
      .zero = "none"},
     [](Config& c) -> Slot { return &c.quota.messages; }},
    {{.name = "queue.max_bytes", .doc = "Most that is kept, counted by the size of the messages. `none`: no bound.",
      .size = true, .zero = "none"},
     [](Config& c) -> Slot { return &c.quota.bytes; }},
    {{.name = "spool.reserve",
      .doc = "Room on the spool's file system that is left free: under it nothing new is kept (452 4.3.1), and what is "
             "kept is still delivered. A percentage, a size, or both with `or`: then the less of the two counts. A "
             "percentage counts for inodes too, of which 1,000 always suffice. `0%`: everything may be used."},
     [](Config& c) -> Slot { return ReserveSlot{&c.reserve}; }},
    {{.name = "index.map_size",
      .doc = "The most the queue's index may grow to; room is taken as it is needed, about 1 KiB a message. Near it new "
             "mail is answered 452, and the queue still drains.",
      .range = {1 << 20, 1ULL << 42}, .size = true, .reload = Reload::kRestart},
     [](Config& c) -> Slot { return &c.index_map_size; }},
    {{.name = "delay_warning",
      .doc = "Tell the sender once, by a notice of its own (RFC 3464), that a message has been waiting so long and is still "
             "being tried. Mail whose destination has the schedule `short` is given up so soon that its senders are not "
             "told before.",
      .range = {1, 365 * kDay}, .zero = "off"},
     [](Config& c) -> Slot { return &c.delay_warning; }},
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
    {{.name = "frozen.keep",
      .doc = "How long frozen messages (bounces that could not be delivered) are kept before they are deleted. `off`: until "
             "an admin thaws or deletes them.",
      .range = {1, 3650 * kDay}, .zero = "off"},
     [](Config& c) -> Slot { return &c.frozen_keep; }},
    {{.name = "dns.resolvers",
      .doc = "Name servers that are asked for MX records, as address:port. None: those of /etc/resolv.conf."},
     [](Config& c) -> Slot { return ResolversSlot{&c.resolvers}; }},
    {{.name = "clock.second_look",
      .doc = "After the machine's clock has jumped by more than an hour nothing is given up, and nobody warned, for so "
             "long; then the clock is believed if it has not jumped again.",
      .range = {1, kDay}},
     [](Config& c) -> Slot { return &c.second_look; }},
    {{.name = "debug", .doc = "Write more into the logs. `gatewayctl log level` does it without a change here."},
     [](Config& c) -> Slot { return &c.debug; }},
  };
  return table;
}

const std::vector<Setting<Destination>>& destination_table() {
  static const std::vector<Setting<Destination>> table{
    {{.name = "servers",
      .doc = "The servers that take the mail, in order of preference, as host:port or [IPv6 address]:port. The next one is "
             "tried when all addresses of those before it failed.",
      .required = true},
     [](Destination& d) -> Slot { return ServersSlot{&d.servers}; }},
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
      .doc = "`proxy`: while the destination is up, mail passes through it inside the sender's own session.",
      .choices = {"proxy"}},
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
  };
  return table;
}
// clang-format on

struct TypeText {
  const Info& info;

  std::string operator()(bool*) const { return "true or false"; }
  std::string operator()(int*) const { return "number"; }
  std::string operator()(std::uint64_t*) const { return info.size ? "size" : "number"; }
  std::string operator()(base::Seconds*) const { return "duration"; }
  std::string operator()(std::string*) const { return "text"; }
  std::string operator()(std::vector<std::string>*) const { return "list of texts"; }
  std::string operator()(const ChoiceSlot&) const { return "choice"; }
  std::string operator()(const PathSlot&) const { return "path"; }
  std::string operator()(const ServersSlot&) const { return "list of servers"; }
  std::string operator()(const ListenSlot&) const { return "list of addresses"; }
  std::string operator()(const RelaySlot&) const { return "server"; }
  std::string operator()(const ResolversSlot&) const { return "list of addresses"; }
  std::string operator()(const ReserveSlot&) const { return "percentage or size"; }
  std::string operator()(const FlagsSlot&) const { return "list of choices"; }
  std::string operator()(const RetrySlot&) const { return "name or list of phases"; }
  std::string operator()(const RecipientsSlot&) const { return "list of addresses or a file"; }
};

template <class List, class Text>
std::string yaml_list(const List& list, const Text& text) {
  std::string out = "[";
  for (const auto& item : list) {
    if (out.size() > 1) out += ", ";
    out += text(item);
  }
  return out + "]";
}

std::string quoted_server(const HostPort& server) { return fmt::format("\"{}\"", server.text()); }

std::string phase_text(const Phase& phase) {
  if (phase.every.count() > 0) {
    return fmt::format("{{until: {}, every: {}}}", duration_text(phase.until), duration_text(phase.every));
  }
  return fmt::format("{{until: {}, start: {}, factor: {}}}", duration_text(phase.until), duration_text(phase.start),
                     phase.factor);
}

struct ValueText {
  const Info& info;
  bool inline_files;

  std::string operator()(const bool* v) const { return *v ? "true" : "false"; }
  std::string operator()(const int* v) const { return fmt::format("{}", *v); }
  std::string operator()(const std::uint64_t* v) const {
    if (*v == 0 && !info.zero.empty()) return std::string(info.zero);
    return info.size ? size_text(*v) : fmt::format("{}", *v);
  }
  std::string operator()(const base::Seconds* v) const {
    return v->count() == 0 && !info.zero.empty() ? std::string(info.zero) : duration_text(*v);
  }
  std::string operator()(const std::string* v) const { return yaml_scalar(*v); }
  std::string operator()(const std::vector<std::string>* v) const { return yaml_list(*v, yaml_scalar); }
  std::string operator()(const ChoiceSlot& v) const {
    return v.text != nullptr ? *v.text : std::string(info.choices[*v.second ? 1 : 0]);
  }
  std::string operator()(const PathSlot& v) const { return yaml_scalar(*v.path); }
  std::string operator()(const ServersSlot& v) const { return yaml_list(*v.servers, quoted_server); }
  std::string operator()(const ListenSlot& v) const { return yaml_list(*v.listen, quoted_server); }
  std::string operator()(const RelaySlot& v) const { return v.servers->empty() ? "\"\"" : quoted_server(v.servers->front()); }
  std::string operator()(const ResolversSlot& v) const { return yaml_list(*v.resolvers, quoted_server); }
  std::string operator()(const ReserveSlot& v) const { return yaml_scalar(reserve_text(*v.reserve)); }
  std::string operator()(const FlagsSlot& v) const {
    std::vector<std::string_view> set;
    for (std::size_t i = 0; i < v.flags.size(); ++i) {
      if (*v.flags[i]) set.push_back(info.choices[i]);
    }
    return yaml_list(set, yaml_scalar);
  }
  std::string operator()(const RetrySlot& v) const {
    return *v.name == "custom" ? yaml_list(*v.schedule, phase_text) : *v.name;
  }
  std::string operator()(const RecipientsSlot& v) const {
    if (!v.file->empty() && !inline_files) return yaml_scalar(*v.file);
    return yaml_list(*v.addresses, yaml_scalar);
  }
};

std::string range_text(const Range& range, std::string (*text)(std::uint64_t)) {
  if (range.most == Range{}.most) return range.least == 0 ? "" : fmt::format("at least {}", text(range.least));
  return fmt::format("{} to {}", text(range.least), text(range.most));
}

std::string plain_text(std::uint64_t v) { return fmt::format("{}", v); }
std::string seconds_text(std::uint64_t v) { return duration_text(base::Seconds{static_cast<std::int64_t>(v)}); }

std::string choices_text(const std::vector<std::string_view>& choices, std::string_view last) {
  std::string out;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) out += i + 1 == choices.size() ? last : ", ";
    out += choices[i];
  }
  return out;
}

}  // namespace

std::span<const Setting<Config>> global_settings() { return global_table(); }
std::span<const Setting<Destination>> destination_settings() { return destination_table(); }
std::span<const Setting<Domain>> domain_settings() { return domain_table(); }

std::string type_text(const Slot& slot, const Info& info) { return std::visit(TypeText{info}, slot); }

std::string value_text(const Slot& slot, const Info& info, bool inline_files) {
  return std::visit(ValueText{info, inline_files}, slot);
}

std::string bounds_text(const Slot& slot, const Info& info) {
  if (std::holds_alternative<FlagsSlot>(slot)) return "of " + choices_text(info.choices, ", ");
  if (!info.choices.empty()) return choices_text(info.choices, " or ");
  const bool duration = std::holds_alternative<base::Seconds*>(slot);
  const std::string range = range_text(info.range, duration ? seconds_text : info.size ? size_text : plain_text);
  if (info.zero.empty()) return range;
  return range.empty() ? fmt::format("or {}", info.zero) : fmt::format("{}, or {}", range, info.zero);
}

}  // namespace holdfast::config
