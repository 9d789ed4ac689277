#include "common/admin/queue_deeds.h"

#include <algorithm>
#include <iterator>

#include <fmt/core.h>

#include "common/admin/when.h"
#include "common/config/values.h"

namespace holdfast::admin {
namespace {

constexpr Deed kDeeds[] = {
    {"retry", "to be tried at once", "try messages now instead of at their time", false},
    {"hold", "held", "keep messages back until they are released; one that is being handed over: after that attempt",
     false},
    {"release", "released", "let held messages go on; one past its time has a day left", false},
    {"delete", "deleted", "throw messages away; nobody is told", true},
    {"bounce", "given up; their senders are told", "give messages up and tell their senders", true},
    {"thaw", "thawed", "try frozen messages once more", false},
    {"extend", "given more time", "let messages expire later", false},
    {"reroute", "rerouted", "give messages to another destination", false},
};

// --by and --until as qmgr wants them: in seconds.
base::Result<std::vector<std::string>> own_words(const QueueWords& words) {
  std::vector<std::string> out;
  if (!words.by.empty()) {
    const auto by = config::parse_duration(words.by);
    if (!by) return base::fail(base::Kind::kUsage, "--by: " + by.error().text);
    out.insert(out.end(), {"--by", fmt::format("{}", by->count())});
  }
  if (!words.until.empty()) {
    const auto until = parse_when(words.until);
    if (!until) return std::unexpected(until.error());
    out.insert(out.end(), {"--until", fmt::format("{}", *until)});
  }
  if (!words.to.empty()) out.insert(out.end(), {"--to", words.to});
  return out;
}

}  // namespace

std::span<const Deed> all_deeds() { return kDeeds; }

const Deed* find_deed(std::string_view name) {
  const auto found = std::ranges::find_if(kDeeds, [&](const Deed& deed) { return name == deed.name; });
  return found == std::end(kDeeds) ? nullptr : &*found;
}

base::Result<std::vector<std::string>> words_of(const Deed& deed, const QueueWords& words) {
  auto out = words.for_qmgr(deed.destroys);
  if (!out) return out;
  const auto own = own_words(words);
  if (!own) return own;
  out->insert(out->end(), own->begin(), own->end());
  return out;
}

}  // namespace holdfast::admin
