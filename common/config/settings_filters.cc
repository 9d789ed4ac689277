// The settings of filters: their rows of global_settings().
#include "common/config/settings.h"

namespace holdfast::config {
namespace {

// clang-format off
const std::vector<Setting<Config>>& filters_table() {
  static const std::vector<Setting<Config>> table{
    {{.name = "filters",
      .doc = "Programs that look at mail before it is passed on, in this order, by Sendmail's milter protocol, each "
             "{name: …, milter: …}. `milter` is `inet:ADDRESS:PORT`, `unix:/PATH`, or `holdfast` for our own "
             "(`content_filter`). `on_failure` says what becomes of mail when it cannot be asked: `tempfail` (451), `accept` "
             "(without it) or `reject` (550). `timeouts` {connect: 30s, command: 30s, content: 300s} are for its answer to our "
             "first word, to each command, and to the content. `domains` (of recipients) and `listeners` (as in `listen`) "
             "say whose mail it is asked about; without them it is asked about all."},
     [](Config& c) -> Slot { return FiltersSlot{&c.filters}; }},
  };
  return table;
}
// clang-format on

}  // namespace

std::span<const Setting<Config>> filter_settings() { return filters_table(); }

}  // namespace holdfast::config
