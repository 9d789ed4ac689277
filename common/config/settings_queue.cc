// What is kept, and how it is treated while it waits: rows of global_settings().
#include "common/config/settings_queue.h"

namespace holdfast::config {
namespace {

constexpr std::uint64_t kDay = 86400;

}  // namespace

// clang-format off
std::span<const Setting<Config>> queue_settings() {
  static const std::vector<Setting<Config>> table{
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
    {{.name = "while_down.filtering",
      .doc = "While a destination is `down` (not while it is paused): `bypass` takes its mail without asking filters, lists, DNS block "
             "lists or greylisting, and marks it (`X-Holdfast-Unfiltered: yes`); limits stay. `run` asks them all the same.",
      .choices = {"bypass", "run"}},
     [](Config& c) -> Slot { return ChoiceSlot{&c.filtering, nullptr}; }},
    {{.name = "while_down.rescan_on_drain",
      .doc = "Mail that was taken without asking the filters is put through them before it is handed over; what they refuse then is "
             "held for the admin (`queue release`), never bounced. Without filters for its domain it just goes."},
     [](Config& c) -> Slot { return &c.rescan_on_drain; }},
    {{.name = "while_down.copy",
      .doc = "Emergency copies: {ceo@example.test: ceo@elsewhere.test}. While the left one's destination is `down`, a copy of each message "
             "that is kept for him goes to the right one at once; the message itself still waits for its server (docs/copies.md)."},
     [](Config& c) -> Slot { return CopiesSlot{&c.copies}; }},
    {{.name = "while_down.max_per_client",
      .doc = "Most messages of one client network (as in smtpd.per_client) that are kept an hour while their destination "
             "is down; more get 451 4.7.1. For domains see their max_messages.",
      .range = {1, 100'000'000}, .zero = "none"},
     [](Config& c) -> Slot { return &c.clients.kept_of_client; }},
    {{.name = "while_down.max_per_recipient",
      .doc = "Most messages for one recipient that are kept an hour while its destination is down; more get 452 4.3.1.",
      .range = {1, 100'000'000}, .zero = "none"},
     [](Config& c) -> Slot { return &c.clients.kept_for_recipient; }},
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
  };
  return table;
}
// clang-format on

}  // namespace holdfast::config
