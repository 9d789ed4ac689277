// GET and POST of destinations, domains, recipients, trace, alerts.
#include <algorithm>

#include <fmt/core.h>

#include "common/admin/dest_look.h"
#include "common/admin/log_search.h"
#include "common/admin/rcpt_look.h"
#include "common/base/text.h"
#include "common/config/show.h"
#include "common/config/values.h"
#include "webd/answers.h"
#include "webd/body.h"

namespace holdfast::webd {
namespace {

constexpr base::Seconds kProbePatience{120}, kChangePatience{60}, kTestPatience{150};
constexpr base::Seconds kLogPatience{20};
constexpr base::Millis kBudget{60};
constexpr std::size_t kMostRecipients = 1'000, kMostLines = 2'000;

// Seconds of a duration that may be missing.
base::Result<std::string> seconds_of(const json& body, const char* name) {
  const auto text = text_of(body, name);
  if (!text || text->empty()) return text;
  const auto parsed = config::parse_duration(*text);
  if (!parsed) return base::fail(base::Kind::kUsage, fmt::format("{}: {}", name, parsed.error().text));
  if (parsed->count() == 0) return base::fail(base::Kind::kUsage, fmt::format("{} must be more than 0", name));
  return fmt::format("{}", parsed->count());
}

Response destination_deed(Call& call, const char* command, std::vector<std::string> words, base::Seconds patience) {
  const auto destination = admin::find_destination(*call.gateway, call.names.front());
  if (!destination) return failure(destination.error());
  words.insert(words.begin(), (*destination)->name);
  const auto told = call.gateway->ask("prober", command, words, patience);
  if (!told) return failure(told.error());
  return answer_text(admin::destination_json(admin::view_of(*call.gateway, **destination)));
}

Response recipients_deed(Call& call, const char* command) {
  const auto body = body_of(call);
  if (!body) return failure(body.error());
  const auto addresses = texts_of(*body, "addresses", kMostRecipients);
  if (!addresses) return failure(addresses.error());
  if (addresses->empty()) return failure({base::Kind::kUsage, "which addresses?"});
  return ask(call, "prober", command, *addresses, kChangePatience);
}

// "destination=office state=down was=up after=3 reason="connect: connection refused"" of prober's log.
std::string word_of(std::string_view text, std::string_view name) {
  const auto at = text.find(fmt::format(" {}=", name));
  if (at == text.npos) return "";
  auto rest = text.substr(at + name.size() + 2);
  if (!rest.starts_with('"')) return std::string(rest.substr(0, rest.find(' ')));
  rest.remove_prefix(1);
  return std::string(rest.substr(0, rest.rfind('"')));
}

Response alert_deed(Call& call, const char* command, const char* word) {
  const auto body = body_of(call);
  if (!body) return failure(body.error());
  const auto what = text_of(*body, word);
  if (!what) return failure(what.error());
  std::vector<std::string> words{*what};
  if (std::string_view(command) == "alert.silence") {
    const auto seconds = seconds_of(*body, "for");
    if (!seconds) return failure(seconds.error());
    if (seconds->empty()) return failure({base::Kind::kUsage, "for how long? 'for' is 2h, 1d, …"});
    words.push_back(*seconds);
  }
  return ask(call, "alertd", command, words, kChangePatience);
}

}  // namespace

Response list_destinations(Call& call) {
  std::vector<std::string> lines;
  for (const auto& [name, destination] : call.gateway->config().destinations) {
    lines.push_back(admin::destination_json(admin::view_of(*call.gateway, destination)));
  }
  return answer_text(fmt::format("{{\"destinations\":{}}}\n", array_of(lines)));
}

Response show_destination(Call& call) {
  const auto destination = admin::find_destination(*call.gateway, call.names.front());
  if (!destination) return failure(destination.error());
  return answer_text(admin::destination_json(admin::view_of(*call.gateway, **destination)));
}

Response destination_history(Call& call) {
  const auto destination = admin::find_destination(*call.gateway, call.names.front());
  if (!destination) return failure(destination.error());
  const auto files = admin::list_log_files(call.gateway->config().paths.log);
  if (!files) return failure(files.error());
  const std::string begin = fmt::format("destination={} state=", (*destination)->name);
  const auto until = base::mono_now() + kLogPatience;
  json events = json::array();
  for (const auto& file : *files) {
    if (file.name != "prober") continue;
    const auto done = admin::read_lines(
        file,
        [&](std::string_view whole) {
          const auto line = admin::LogLine::parse(whole);
          if (!line || !line->text.starts_with(begin)) return;
          const auto when = admin::log_time(line->date, file.written_s).value_or(0);
          if (events.size() >= kMostLines) events.erase(events.begin());
          events.push_back({{"time", admin::time_json(when * 1000)},
                            {"state", word_of(fmt::format(" {}", line->text), "state")},
                            {"was", word_of(line->text, "was")},
                            {"reason", word_of(line->text, "reason")}});
        },
        [&] { return base::mono_now() < until; });
    if (!done && done.error().kind != base::Kind::kNotFound) return failure(done.error());
  }
  return answer({{"events", events}});
}

Response probe_destination(Call& call) { return destination_deed(call, "dest.probe", {}, kProbePatience); }
Response resume_destination(Call& call) { return destination_deed(call, "dest.resume", {}, kChangePatience); }

Response force_destination(Call& call) {
  const auto body = body_of(call);
  if (!body) return failure(body.error());
  const auto state = text_of(*body, "state");
  if (!state) return failure(state.error());
  call.detail = fmt::format("{} {}", call.names.front(), base::printable(*state));
  return destination_deed(call, "dest.force", {*state}, kChangePatience);
}

Response pause_destination(Call& call) {
  const auto body = body_of(call);
  if (!body) return failure(body.error());
  const auto reason = text_of(*body, "reason"), seconds = seconds_of(*body, "for");
  if (!reason) return failure(reason.error());
  if (!seconds) return failure(seconds.error());
  return destination_deed(call, "dest.pause", {*reason, *seconds}, kChangePatience);
}

Response list_domains(Call& call) {
  std::vector<std::string> lines;
  for (const auto& [name, domain] : call.gateway->config().domains) {
    lines.push_back(admin::domain_json(admin::view_of(*call.gateway, domain)));
  }
  return answer_text(fmt::format("{{\"domains\":{}}}\n", array_of(lines)));
}

Response show_domain(Call& call) {
  const auto* domain = call.gateway->config().find_domain(call.names.front());
  if (domain == nullptr) {
    return failure({base::Kind::kNotFound, fmt::format("'{}' is no domain of ours", base::printable(call.names.front()))});
  }
  json out = json::parse(admin::domain_json(admin::view_of(*call.gateway, *domain)));
  out["settings"] = json::array();
  const std::string prefix = fmt::format("domains.{}.", domain->name);
  for (const auto& setting : config::list(call.gateway->config())) {
    if (!setting.name.starts_with(prefix)) continue;
    out["settings"].push_back({{"name", setting.name.substr(prefix.size())}, {"value", setting.value}, {"default", setting.is_default}});
  }
  return answer(out);
}

// Those of the configuration stand before those of the directory, on the first page.
Response list_recipients(Call& call) {
  const auto limit = limit_of(call, 100, kMostRecipients);
  if (!limit) return failure(limit.error());
  const admin::RecipientFilter wanted{.domain = call.request.parameter("domain"),
                                      .source = call.request.parameter("source"),
                                      .part = call.request.parameter("address")};
  std::string after = call.request.parameter("after");
  std::vector<std::string> lines;
  if (after.empty()) {
    admin::each_configured(call.gateway->config(), wanted, [&](const admin::RecipientView& view) {
      if (lines.size() < kMostRecipients) lines.push_back(admin::recipient_json(view));
    });
  }
  const auto until = base::mono_now() + kBudget;
  json next;
  std::size_t shown = 0;
  for (bool more = true; more;) {
    const auto page = admin::stored_recipients(*call.gateway, wanted, after);
    if (!page) return failure(page.error());
    for (const auto& view : page->recipients) {
      if (shown == *limit) break;
      lines.push_back(admin::recipient_json(view));
      after = view.address;
      ++shown;
    }
    const bool cut = shown == *limit && (!page->next.empty() || page->recipients.empty() || page->recipients.back().address != after);
    if (!cut) after = page->next;
    more = !cut && !after.empty() && base::mono_now() < until && shown < *limit;
    next = after.empty() ? json() : json(after);
  }
  return answer_text(fmt::format("{{\"recipients\":{},\"next\":{}}}\n", array_of(lines), admin::dump(next)));
}

Response check_recipients(Call& call) {
  const auto body = body_of(call);
  if (!body) return failure(body.error());
  const auto addresses = texts_of(*body, "addresses", kMostRecipients);
  if (!addresses) return failure(addresses.error());
  std::vector<std::string> lines;
  for (const auto& address : *addresses) {
    const auto found = admin::check_recipient(*call.gateway, address);
    if (!found) return failure(found.error());
    lines.push_back(admin::check_json(found->view, found->standing));
  }
  return answer_text(fmt::format("{{\"recipients\":{}}}\n", array_of(lines)));
}

Response add_recipients(Call& call) { return recipients_deed(call, "rcpt.add"); }
Response deny_recipients(Call& call) { return recipients_deed(call, "rcpt.deny"); }
Response remove_recipients(Call& call) { return recipients_deed(call, "rcpt.remove"); }

Response flush_recipients(Call& call) {
  const auto body = body_of(call);
  if (!body) return failure(body.error());
  const auto domain = text_of(*body, "domain");
  const auto all = flag_of(*body, "all");
  if (!domain) return failure(domain.error());
  if (!all) return failure(all.error());
  if (*all != domain->empty()) return failure({base::Kind::kUsage, "which recipients? Give a domain, or all"});
  return ask(call, "prober", "rcpt.flush", *all ? std::vector<std::string>{} : std::vector{*domain}, kProbePatience);
}

Response trace(Call& call) {
  const std::string what(base::trim(call.request.parameter("what")));
  if (what.size() < 2 || what.size() > 1000) {
    return failure({base::Kind::kUsage, "what is to be traced? A queue id, an address or a message-id"});
  }
  const auto until = base::mono_now() + kLogPatience;
  admin::LogSearch search(call.gateway->config().paths.log, what);
  if (auto done = search.add_queued(*call.gateway, what); !done) return failure(done.error());
  if (auto done = search.search([&] { return base::mono_now() < until; }); !done) return failure(done.error());
  const auto& found = search.found();
  const std::size_t from = found.size() > kMostLines ? found.size() - kMostLines : 0;
  std::vector<std::string> lines;
  for (std::size_t i = from; i < found.size(); ++i) {
    if (auto line = admin::found_json(found[i]); !line.empty()) lines.push_back(std::move(line));
  }
  return answer_text(fmt::format("{{\"lines\":{},\"truncated\":{}}}\n", array_of(lines), from > 0));
}

Response list_alerts(Call& call) { return ask(call, "alertd", "alert.list", {}, base::Seconds{5}); }
Response ack_alert(Call& call) { return alert_deed(call, "alert.ack", "id"); }
Response silence_alert(Call& call) { return alert_deed(call, "alert.silence", "what"); }
Response unsilence_alert(Call& call) { return alert_deed(call, "alert.unsilence", "what"); }
Response test_alerts(Call& call) { return ask(call, "alertd", "alert.test", {}, kTestPatience); }

}  // namespace holdfast::webd
