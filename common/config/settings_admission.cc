// The settings of lists, DNS block lists and greylisting: their rows of global_settings().
#include "common/config/settings.h"

namespace holdfast::config {
namespace {

constexpr std::uint64_t kDay = 86400;

// clang-format off
const std::vector<Setting<Config>>& admission_table() {
  using enum policy::ListKind;
  static const std::vector<Setting<Config>> table{
    {{.name = "lists.client.allow",
      .doc = "Clients that are let in: addresses, networks, names (`mail.example.org`; `.example.org` for a domain and all below it) and "
             "regular expressions (`/^dyn[0-9]+/`), here or in files with one a line; see docs/lists.md. An entry that allows ends all "
             "asking: no other list, no DNS block list and no greylisting. It wins over one that blocks in the same kind of list."},
     [](Config& c) -> Slot { return ListSlot{&c.lists.client.allow, kClient}; }},
    {{.name = "lists.client.block", .doc = "Clients whose mail is refused, 554 5.7.1."},
     [](Config& c) -> Slot { return ListSlot{&c.lists.client.block, kClient}; }},
    {{.name = "lists.helo.allow", .doc = "Names in HELO and EHLO that are let in: names, address literals, domains, regular expressions. Anybody may claim one."},
     [](Config& c) -> Slot { return ListSlot{&c.lists.helo.allow, kHelo}; }},
    {{.name = "lists.helo.block", .doc = "Names in HELO and EHLO that are refused."},
     [](Config& c) -> Slot { return ListSlot{&c.lists.helo.block, kHelo}; }},
    {{.name = "lists.sender.allow",
      .doc = "Senders that are let in: addresses, `<>`, `user@` of any domain, domains, regular expressions. Anybody may claim one."},
     [](Config& c) -> Slot { return ListSlot{&c.lists.sender.allow, kSender}; }},
    {{.name = "lists.sender.block", .doc = "Senders that are refused."},
     [](Config& c) -> Slot { return ListSlot{&c.lists.sender.block, kSender}; }},
    {{.name = "lists.recipient.allow", .doc = "Recipients whose mail is asked after no further, such as postmaster@ and abuse@."},
     [](Config& c) -> Slot { return ListSlot{&c.lists.recipient.allow, kRecipient}; }},
    {{.name = "lists.recipient.block", .doc = "Recipients that are refused, whatever their server says."},
     [](Config& c) -> Slot { return ListSlot{&c.lists.recipient.block, kRecipient}; }},
    {{.name = "dnsbl.zones",
      .doc = "DNS block lists that a client's address is looked up in, all at once when it connects. `answers` says which count: "
             "`127.0.0.2..11`, `127.0.0.10,127.0.0.11`, `127.0.*.2`; without it all of 127.0.0.0/8 but 127.255.255.*, by which "
             "lists say that they do not answer you. A `weight` below 0 makes a list one of good senders. Trusted and "
             "private networks are not looked up."},
     [](Config& c) -> Slot { return ZonesSlot{&c.dnsbl.zones}; }},
    {{.name = "dnsbl.threshold", .doc = "The sum of weights from which on a client is refused, 554 5.7.1.", .range = {1, 1000000}},
     [](Config& c) -> Slot { return &c.dnsbl.threshold; }},
    {{.name = "dnsbl.timeout",
      .doc = "How long lists may take, from the client's connection on. One that has not answered by then, or cannot, weighs nothing.",
      .range = {1, 60}},
     [](Config& c) -> Slot { return &c.dnsbl.timeout; }},
    {{.name = "greylist.delay",
      .doc = "For domains with `greylist: true`: the time after which a sender that was put off (450 4.7.1) may come back with the same "
             "client network, sender and recipient.", .range = {1, kDay}},
     [](Config& c) -> Slot { return &c.greylist.delay; }},
    {{.name = "greylist.window", .doc = "The time within which it must do so, from the first attempt on; else it begins anew.", .range = {60, 30 * kDay}},
     [](Config& c) -> Slot { return &c.greylist.window; }},
    {{.name = "greylist.lifetime", .doc = "How long who has passed is remembered after his last mail.", .range = {60, 365 * kDay}},
     [](Config& c) -> Slot { return &c.greylist.lifetime; }},
    {{.name = "greylist.auto_allow",
      .doc = "So many different triplets that passed make their client's network (/24 of IPv4, /64 of IPv6) known: it is not put off any more.",
      .range = {1, 1'000'000}, .zero = "off"},
     [](Config& c) -> Slot { return &c.greylist.auto_allow; }},
    {{.name = "greylist.max_entries",
      .doc = "Triplets and networks that are remembered, about 100 bytes each on disk; when there are more, those that would end first go.",
      .range = {1000, 100'000'000}},
     [](Config& c) -> Slot { return &c.greylist.max_entries; }},
  };
  return table;
}
// clang-format on

}  // namespace

std::span<const Setting<Config>> admission_settings() { return admission_table(); }

}  // namespace holdfast::config
