#include "qmgr/queue_command.h"

#include <array>
#include <optional>
#include <utility>

#include "common/base/text.h"

namespace holdfast::qmgr {
namespace {

using base::fail;
using base::Kind;

constexpr std::array<std::pair<std::string_view, QueueVerb>, 8> kVerbs{{{"retry", QueueVerb::kRetry},
                                                                        {"hold", QueueVerb::kHold},
                                                                        {"release", QueueVerb::kRelease},
                                                                        {"delete", QueueVerb::kDelete},
                                                                        {"bounce", QueueVerb::kBounce},
                                                                        {"thaw", QueueVerb::kThaw},
                                                                        {"extend", QueueVerb::kExtend},
                                                                        {"reroute", QueueVerb::kReroute}}};

constexpr std::size_t kLongest = 320;                         // no address, domain or destination is longer
constexpr std::uint64_t kMostSeconds = 100ULL * 366 * 86400;  // what is later than that is a slip of the hand

std::optional<QueueVerb> verb_of(std::string_view command) {
  constexpr std::string_view kPrefix = "queue.";
  if (!command.starts_with(kPrefix)) return std::nullopt;
  for (const auto& [name, verb] : kVerbs) {
    if (command.substr(kPrefix.size()) == name) return verb;
  }
  return std::nullopt;
}

base::Status take_seconds(const std::string& option, const std::string& value, std::int64_t& ms) {
  const auto seconds = base::to_number(value);
  if (!seconds || *seconds == 0 || *seconds > kMostSeconds) {
    return fail(Kind::kUsage, option + " needs a number of seconds, not " + base::printable(value));
  }
  ms = static_cast<std::int64_t>(*seconds) * 1000;
  return {};
}

// What a verb needs besides the choice of messages; true when `option` is such a thing.
base::Result<bool> take_own_option(const std::string& option, const std::string& value, QueueCommand& out) {
  base::Status done{};
  if (out.verb == QueueVerb::kExtend && option == "--by") {
    done = take_seconds(option, value, out.by_ms);
  } else if (out.verb == QueueVerb::kExtend && option == "--until") {
    done = take_seconds(option, value, out.until_ms);
  } else if (out.verb == QueueVerb::kReroute && option == "--to") {
    out.to = value;
  } else {
    return false;
  }
  if (!done) return std::unexpected(done.error());
  return true;
}

base::Status take_filter(const std::string& option, const std::string& value, storage::QueueFilter& filter) {
  if (option == "--destination")
    filter.destination = value;
  else if (option == "--domain")
    filter.domain = value;
  else if (option == "--sender")
    filter.sender = value;
  else if (option == "--recipient")
    filter.recipient = value;
  else if (option == "--held-by")
    filter.held_by = value;
  else if (option == "--state") {
    filter.state = storage::parse_message_state(value);
    if (!filter.state) return fail(Kind::kUsage, "no such state: " + base::printable(value));
  } else {
    return fail(Kind::kUsage, "no such option: " + base::printable(option));
  }
  return {};
}

// An option with its value; `chosen` when it chooses messages.
base::Status take_option(const std::string& option, const std::string& value, QueueCommand& out, bool& chosen) {
  if (value.empty()) return fail(Kind::kUsage, option + " needs a value");
  if (value.size() > kLongest) return fail(Kind::kUsage, option + ": nothing has so long a name");
  const auto own = take_own_option(option, value, out);
  if (!own) return std::unexpected(own.error());
  if (*own) return {};
  chosen = true;
  return take_filter(option, value, out.filter);
}

base::Status check(const QueueCommand& command, bool chosen) {
  if (chosen && !command.ids.empty()) return fail(Kind::kUsage, "either ids or a filter, not both");
  if (!chosen && command.ids.empty()) return fail(Kind::kUsage, "nothing is chosen: give ids, a filter, or --all");
  if (command.verb == QueueVerb::kExtend && (command.by_ms == 0) == (command.until_ms == 0)) {
    return fail(Kind::kUsage, "until when? Give --by DURATION or --until TIME");
  }
  if (command.verb == QueueVerb::kReroute && command.to.empty()) {
    return fail(Kind::kUsage, "where to? Give --to DESTINATION");
  }
  return {};
}

}  // namespace

std::string_view to_text(QueueVerb verb) {
  for (const auto& [name, each] : kVerbs) {
    if (each == verb) return name;
  }
  return "retry";
}

base::Result<QueueCommand> parse_queue_command(const ipc::Control& control) {
  const auto verb = verb_of(control.command);
  if (!verb) return fail(Kind::kUsage, "no such command: " + base::printable(control.command));
  QueueCommand out;
  out.verb = *verb;
  out.user = control.user;
  bool chosen = false;
  const auto& words = control.words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--dry-run") {
      out.dry_run = true;
    } else if (words[i] == "--all") {
      chosen = true;
    } else if (words[i] == "--unfiltered") {
      chosen = out.filter.unfiltered = true;
    } else if (words[i].starts_with("--")) {
      if (i + 1 == words.size()) return fail(Kind::kUsage, words[i] + " needs a value");
      if (auto done = take_option(words[i], words[i + 1], out, chosen); !done) return std::unexpected(done.error());
      ++i;
    } else {
      const auto id = mail::QueueId::parse(words[i]);
      if (!id) return fail(Kind::kUsage, "not a queue id: " + base::printable(words[i]));
      out.ids.push_back(*id);
    }
  }
  if (auto good = check(out, chosen); !good) return std::unexpected(good.error());
  return out;
}

}  // namespace holdfast::qmgr
