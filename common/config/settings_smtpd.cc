// The settings of smtpd: its rows of global_settings().
#include "common/config/settings.h"

namespace holdfast::config {
namespace {

constexpr std::uint64_t kDay = 86400;

// clang-format off
const std::vector<Setting<Config>>& smtpd_table() {
  static const std::vector<Setting<Config>> table{
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
    {{.name = "smtpd.content_timeout", .doc = "How long all of a message's content may take.", .range = {1, kDay}},
     [](Config& c) -> Slot { return &c.smtpd.content_timeout; }},
    {{.name = "smtpd.min_rate",
      .doc = "Bytes a second that content must come with: who sends less in a minute, but not nothing, is sent away with "
             "421. A pause is the affair of smtpd.data_timeout.",
      .range = {1, 1'000'000}, .zero = "none"},
     [](Config& c) -> Slot { return &c.smtpd.min_rate; }},
    {{.name = "smtpd.max_errors",
      .doc = "Errors after which a client is sent away with 421: wrong commands, refused addresses, unknown recipients "
             "while their server is down. A message that is taken begins a new count.",
      .range = {1, 10000}},
     [](Config& c) -> Slot { return &c.smtpd.max_errors; }},
    {{.name = "smtpd.soft_errors", .doc = "Errors from which on each is answered later than the one before.", .range = {0, 10000}},
     [](Config& c) -> Slot { return &c.smtpd.soft_errors; }},
    {{.name = "smtpd.error_delay",
      .doc = "By how much later, but no later than 10 s. Clients in smtpd.trusted_networks are always answered at once.",
      .range = {1, 10}, .zero = "off"},
     [](Config& c) -> Slot { return &c.smtpd.error_delay; }},
    {{.name = "smtpd.max_junk",
      .doc = "NOOP, RSET, VRFY, HELP and repeated EHLO that a client may send without a message; then it is sent away with "
             "421. `0`: any number.",
      .range = {0, 1000000}},
     [](Config& c) -> Slot { return &c.smtpd.max_junk; }},
    {{.name = "smtpd.stress_percent",
      .doc = "Under stress, from so many percent of smtpd.max_clients on, clients get no more than smtpd.stress_timeout "
             "for their next command; who is idle goes first. `101`: never.",
      .range = {1, 101}},
     [](Config& c) -> Slot { return &c.smtpd.stress_percent; }},
    {{.name = "smtpd.stress_timeout", .doc = "See smtpd.stress_percent.", .range = {1, 3600}},
     [](Config& c) -> Slot { return &c.smtpd.stress_timeout; }},
    {{.name = "smtpd.bare_newline",
      .doc = "What becomes of content with a CR or LF that is not part of a CRLF. `reject` answers 550 5.6.11; `normalize` "
             "makes each a CRLF, which breaks DKIM signatures. Servers that read such bytes differently can be made to "
             "see two messages in one, so they are never passed on as they are.",
      .choices = {"reject", "normalize"}},
     [](Config& c) -> Slot { return ChoiceSlot{nullptr, &c.smtpd.bare_newline_normalize}; }},
    {{.name = "smtpd.header_size_limit", .doc = "The largest header of a message; a larger one gets 552 5.3.4.",
      .range = {16 << 10, 1ULL << 30}, .size = true},
     [](Config& c) -> Slot { return &c.smtpd.header_size_limit; }},
    {{.name = "smtpd.max_header_fields", .doc = "Fields in a message's header; more get 552 5.3.4.", .range = {100, 1000000}},
     [](Config& c) -> Slot { return &c.smtpd.max_header_fields; }},
    {{.name = "smtpd.max_hops",
      .doc = "Received fields in a message's header; more mean that it goes in circles: 554 5.4.6. 50 is "
             "what most servers use.",
      .range = {5, 1000}},
     [](Config& c) -> Slot { return &c.smtpd.max_hops; }},
    {{.name = "smtpd.tls_required",
      .doc = "Take no mail in the clear: before STARTTLS all but EHLO, HELO, NOOP and QUIT gets 530 5.7.0. Not for a server "
             "that the internet sends to (RFC 3207 section 4)."},
     [](Config& c) -> Slot { return &c.smtpd.tls_required; }},
    {{.name = "smtpd.trusted_networks",
      .doc = "Hosts whose clients are not counted: none of the limits of smtpd.per_client and while_down holds for them. "
             "What is relayed and for whom does not depend on it."},
     [](Config& c) -> Slot { return NetworksSlot{&c.clients.trusted}; }},
    {{.name = "smtpd.proxy_networks",
      .doc = "Load balancers that begin each connection with a PROXY header (version 1 or 2), which names the client. From "
             "these one is required; from all others none is looked for."},
     [](Config& c) -> Slot { return NetworksSlot{&c.clients.proxies}; }},
    {{.name = "smtpd.proxy_timeout", .doc = "How long the PROXY header may take to come.", .range = {1, 600}},
     [](Config& c) -> Slot { return &c.clients.proxy_timeout; }},
    {{.name = "smtpd.xclient_networks",
      .doc = "Relays that may say by XCLIENT (Postfix) who their client is. It is offered to these only."},
     [](Config& c) -> Slot { return NetworksSlot{&c.clients.xclients}; }},
    {{.name = "smtpd.lookup",
      .doc = "How long EHLO waits for the client's name, which is looked up by its address and believed if it has that "
             "address; without it `unknown` stands in Received lines and logs. `off`: it is not looked up.",
      .range = {1, 30}, .zero = "off"},
     [](Config& c) -> Slot { return &c.clients.lookup; }},
    {{.name = "smtpd.banner_delay",
      .doc = "How long the banner is held back, to find out who cannot wait for it. `off`: a client has spoken too early "
             "only if its bytes are there as soon as its connection.",
      .range = {1, 60}, .zero = "off"},
     [](Config& c) -> Slot { return &c.clients.banner_delay; }},
    {{.name = "smtpd.early_talkers",
      .doc = "Clients that speak before the banner, or send commands on where they have to wait for an answer (RFC 2920 "
             "section 3.1), as programs that send spam do. `reject` answers 554 5.5.0 and ends the connection; those in "
             "smtpd.trusted_networks may do so always.",
      .choices = {"allow", "reject"}},
     [](Config& c) -> Slot { return ChoiceSlot{nullptr, &c.clients.refuse_early}; }},
    {{.name = "smtpd.per_client.connections",
      .doc = "Connections of one client network (an IPv4 address, or the /64 of an IPv6 address) at a time, of all workers "
             "together; more get 421 4.7.0.",
      .range = {1, 1'000'000}, .zero = "none"},
     [](Config& c) -> Slot { return &c.clients.connections; }},
    {{.name = "smtpd.per_client.connection_rate",
      .doc = "Connections of one client network a minute, those refused counted with them; more get 421 4.7.0.",
      .range = {1, 1'000'000}, .zero = "none"},
     [](Config& c) -> Slot { return &c.clients.connection_rate; }},
    {{.name = "smtpd.per_client.message_rate",
      .doc = "Messages that one client network may begin (MAIL) a minute; more get 450 4.7.1.",
      .range = {1, 1'000'000}, .zero = "none"},
     [](Config& c) -> Slot { return &c.clients.message_rate; }},
    {{.name = "smtpd.per_client.recipient_rate",
      .doc = "Recipients that one client network may name (RCPT) a minute, unknown ones counted with them; more get "
             "450 4.7.1.",
      .range = {1, 10'000'000}, .zero = "none"},
     [](Config& c) -> Slot { return &c.clients.recipient_rate; }},
  };
  return table;
}
// clang-format on

}  // namespace

std::span<const Setting<Config>> smtpd_settings() { return smtpd_table(); }

}  // namespace holdfast::config
