#include "prober/control.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/base/log.h"
#include "common/base/text.h"
#include "prober/recipients.h"

namespace holdfast::prober {
namespace {

constexpr std::size_t kLongestReason = 500;  // it stands in every status, and in each sentence about the situation

using nlohmann::json;

ipc::ControlReply refuse(base::Kind kind, std::string text) {
  return {.exit = base::exit_code(kind), .json = {}, .text = std::move(text)};
}

std::string dump(const json& object) { return object.dump(-1, ' ', false, json::error_handler_t::replace); }

json shown_time(std::int64_t ms) { return ms == 0 ? json() : json(base::iso8601(base::from_millis(ms))); }

json describe(const Monitor& monitor) {
  const storage::DestinationRow row = monitor.row();
  json servers = json::array();
  for (const auto& server : row.servers) {
    servers.push_back({{"server", server.server},
                       {"state", server.up ? "up" : "down"},
                       {"reason", server.reason},
                       {"since", shown_time(server.since_ms)},
                       {"addresses", server.addresses}});
  }
  return {{"name", monitor.name()},
          {"state", mail::to_text(row.state)},
          {"reason", row.reason},
          {"since", shown_time(row.since_ms)},
          {"last_probe", shown_time(row.last_probe_ms)},
          {"paused_until", shown_time(row.paused_until_ms)},
          {"capabilities", row.capabilities.text()},
          {"suspects", monitor.suspects()},
          {"servers", std::move(servers)}};
}

// So many seconds from now; nothing for no words.
base::Result<std::optional<base::Wall>> end_after(const std::string& words) {
  if (words.empty()) return std::nullopt;
  constexpr std::uint64_t kLongest = 10ULL * 366 * 86400;
  const auto seconds = base::to_number(words);
  if (!seconds || *seconds == 0 || *seconds > kLongest) {
    return base::fail(base::Kind::kUsage, "'" + words + "' is not a number of seconds");
  }
  return base::wall_now() + base::Seconds(*seconds);
}

Changed tell_changed(ControlDesk::Answer answer, bool must_find) {
  return [answer = std::move(answer), must_find](std::size_t changed) {
    if (must_find && changed == 0) return answer(refuse(base::Kind::kNotFound, "no such recipient"));
    answer({.exit = 0, .json = dump({{"changed", changed}}), .text = {}});
  };
}

}  // namespace

void ControlDesk::answer(const ipc::Control& question, Answer answer) {
  if (question.command.starts_with("dest.")) return destination(question, std::move(answer));
  if (question.command.starts_with("rcpt.")) return recipients(question, std::move(answer));
  if (question.command == "filter.bypass") return bypass(question, std::move(answer));
  if (question.command == "prober.status") return status(answer);
  answer(refuse(base::Kind::kUsage, "prober knows no command '" + question.command + "'"));
}

void ControlDesk::status(const Answer& answer) const {
  json all = json::array();
  for (const auto& [name, monitor] : monitors_) all.push_back(describe(*monitor));
  answer({.exit = 0,
          .json = dump({{"destinations", std::move(all)},
                        {"uncommitted", shared_.store.pending()},
                        {"committing", !shared_.store.failing()}}),
          .text = {}});
}

void ControlDesk::destination(const ipc::Control& question, Answer answer) {
  const auto& words = question.words;
  if (words.empty()) return answer(refuse(base::Kind::kUsage, question.command + " needs the name of a destination"));
  const auto found = monitors_.find(words[0]);
  if (found == monitors_.end()) return answer(refuse(base::Kind::kNotFound, "no destination '" + words[0] + "'"));
  Monitor& monitor = *found->second;
  // Looked up again when it is time to answer: a reload may have taken the destination away.
  auto report = [this, name = words[0], answer] {
    const auto still = monitors_.find(name);
    if (still == monitors_.end())
      return answer(refuse(base::Kind::kNotFound, "no destination '" + name + "' any more"));
    answer({.exit = 0, .json = dump(describe(*still->second)), .text = {}});
  };
  if (question.command == "dest.show") return report();
  if (question.command == "dest.probe") return monitor.probe(std::move(report));
  if (question.command == "dest.resume") {
    if (!monitor.paused()) return report();
    base::log().notice(fmt::format("destination={} resumed by {}", words[0], base::printable(question.user)));
    return monitor.resume(std::move(report));
  }
  if (question.command == "dest.force") return force(monitor, question, std::move(report), answer);
  if (question.command != "dest.pause") {
    return answer(refuse(base::Kind::kUsage, "prober knows no command '" + question.command + "'"));
  }
  pause(monitor, question, std::move(report), answer);
}

void ControlDesk::force(Monitor& monitor, const ipc::Control& question, std::function<void()> report, const Answer& answer) {
  const std::string state = question.words.size() == 2 ? question.words[1] : "";
  if (state != "up" && state != "down" && state != "auto") {
    return answer(refuse(base::Kind::kUsage, "dest.force needs up, down or auto"));
  }
  const std::string user = question.user.empty() ? "an unknown user" : base::printable(question.user);
  base::log().notice(fmt::format("destination={} forced {} by {}", question.words[0], state, user));
  if (state == "auto") return monitor.unforce(std::move(report));
  monitor.force(state == "up", user, std::move(report));
}

void ControlDesk::pause(Monitor& monitor, const ipc::Control& question, std::function<void()> report,
                        const Answer& answer) {
  const auto& words = question.words;
  const auto until = end_after(words.size() > 2 ? words[2] : "");
  if (!until) return answer(refuse(base::Kind::kUsage, until.error().text));
  if (words.size() > 1 && words[1].size() > kLongestReason) {
    return answer(refuse(base::Kind::kUsage, fmt::format("a reason has {} octets at most", kLongestReason)));
  }
  const std::string user = base::printable(question.user);
  const std::string reason = words.size() > 1 && !words[1].empty() ? base::printable(words[1]) : "paused by " + user;
  base::log().notice(fmt::format("destination={} paused by {}", words[0], user));
  monitor.pause(reason, user, *until, std::move(report));
}

// Kept with the domain, where smtpd reads it with what else it asks about the recipient.
void ControlDesk::bypass(const ipc::Control& question, Answer answer) {
  const auto& words = question.words;
  const auto word = words.empty() ? std::nullopt : storage::parse_hand_word(words[0]);
  if (!word || words.size() < 3) return answer(refuse(base::Kind::kUsage, "filter.bypass needs on, off or auto, a time, and domains"));
  const auto until = end_after(words[1]);
  if (!until) return answer(refuse(base::Kind::kUsage, until.error().text));
  std::vector<std::string> domains;
  for (auto at = words.begin() + 2; at != words.end(); ++at) {
    const auto* domain = shared_.config->find_domain(*at);
    if (domain == nullptr) return answer(refuse(base::Kind::kNotFound, "'" + base::printable(*at) + "' is no domain of ours"));
    domains.push_back(domain->name);
  }
  storage::FilteringByHand hand{.word = *word,
                                .since_ms = base::to_millis(base::wall_now()),
                                .until_ms = *until ? base::to_millis(**until) : 0,
                                .by = base::printable(question.user)};
  if (*word == storage::HandWord::kAuto) hand = {};
  const std::string end = hand.until_ms == 0 ? "" : fmt::format(" until {}", base::iso8601(base::from_millis(hand.until_ms)));
  base::log().notice(fmt::format("filters: bypass {}{} for {} by {}", words[0], end, fmt::join(domains, " "), base::printable(question.user)));
  const auto changed = domains.size();
  shared_.store.submit(
      [config = shared_.config, domains = std::move(domains), hand](storage::Directory& directory, storage::WriteTxn& txn) -> base::Status {
        for (const auto& name : domains) {
          const auto fresh = storage::DomainRow{.destination = config->find_domain(name)->destination};
          auto row = directory.domain(txn, name).value_or(fresh);
          row.filtering = hand;
          if (auto put = directory.put_domain(txn, name, row); !put) return put;
        }
        return {};
      },
      [answer = std::move(answer), changed] { answer({.exit = 0, .json = dump({{"changed", changed}}), .text = {}}); }, true);
}

void ControlDesk::recipients(const ipc::Control& question, Answer answer) {
  if (question.command == "rcpt.flush") {
    const std::string domain = question.words.empty() ? "" : base::to_lower(question.words[0]);
    base::log().notice(fmt::format("learnt recipients of {} flushed by {}", domain.empty() ? "all domains" : domain,
                                   base::printable(question.user)));
    return flush_recipients(shared_.store, domain, tell_changed(std::move(answer), false));
  }
  if (question.words.empty()) return answer(refuse(base::Kind::kUsage, question.command + " needs an address"));
  const bool add = question.command == "rcpt.add" || question.command == "rcpt.import";
  const bool remove = question.command == "rcpt.remove";
  if (!add && !remove && question.command != "rcpt.deny") {
    return answer(refuse(base::Kind::kUsage, "prober knows no command '" + question.command + "'"));
  }
  auto keys = recipient_keys(question.words, *shared_.config, remove ? Domains::kAny : Domains::kOurs);
  if (!keys) return answer(refuse(keys.error().kind, keys.error().text));
  if (remove) return remove_recipients(shared_.store, std::move(*keys), tell_changed(std::move(answer), true));
  const auto source = add ? storage::RecipientSource::kLocal : storage::RecipientSource::kDenied;
  set_recipients(shared_.store, std::move(*keys), source, tell_changed(std::move(answer), false));
}

}  // namespace holdfast::prober
