// GET and POST of filters and the quarantine.
#include <fmt/core.h>

#include "common/admin/filter_look.h"
#include "common/admin/filter_trial.h"
#include "common/admin/quarantine.h"
#include "common/base/text.h"
#include "common/stats/sums.h"
#include "webd/answers.h"
#include "webd/body.h"

namespace holdfast::webd {
namespace {

constexpr base::Seconds kQuick{2}, kChangePatience{60};
constexpr base::Millis kBudget{10'000};
constexpr std::size_t kMostIds = 10'000;

json list_json(const char* name, const config::ListPair& pair) {
  const auto count = [](const std::vector<config::ListItem>& items) {
    json files = json::array();
    std::size_t entries = 0;
    for (const auto& item : items) item.file.empty() ? void(++entries) : files.push_back(item.file);
    return json{{"entries", entries}, {"files", files}};
  };
  return {{"list", name}, {"allow", count(pair.allow)}, {"block", count(pair.block)}};
}

json lists_json(const config::Lists& lists) {
  return json::array({list_json("client", lists.client), list_json("helo", lists.helo), list_json("sender", lists.sender),
                      list_json("recipient", lists.recipient)});
}

json dnsbl_json(const config::Dnsbl& dnsbl) {
  json zones = json::array();
  for (const auto& zone : dnsbl.zones) zones.push_back({{"zone", zone.zone}, {"weight", zone.weight}});
  return {{"zones", zones}, {"threshold", dnsbl.threshold}};
}

json greylist_json(const config::Config& config) {
  json domains = json::array();
  for (const auto& [name, domain] : config.domains) {
    if (domain.greylist) domains.push_back(name);
  }
  const auto& rules = config.greylist;
  return {{"domains", domains}, {"delay", rules.delay.count()}, {"window", rules.window.count()}, {"lifetime", rules.lifetime.count()}, {"auto_allow", rules.auto_allow}};
}

// Since the start of smtpd; null when master does not answer.
json counts_json(const admin::Gateway& gateway) {
  const auto said = gateway.ask("master", "master.stats", {}, kQuick);
  const auto sums = said ? stats::parse_sums(*said) : std::unexpected(said.error());
  if (!sums) return {};
  const auto smtpd = sums->find("smtpd");
  if (smtpd == sums->end()) return {};
  using enum stats::Counter;
  const auto& n = smtpd->second;
  return {{"refused", n[kFilterRefused]}, {"discarded", n[kFilterDiscarded]}, {"held", n[kFilterHeld]}, {"unfiltered", n[kMessagesUnfiltered]}};
}

base::Result<admin::QuarantineWish> wish_of(const json& body) {
  admin::QuarantineWish out{.yes = true};  // the page has asked
  auto ids = texts_of(body, "ids", kMostIds);
  auto reason = text_of(body, "reason");
  const auto all = flag_of(body, "all"), allow = flag_of(body, "allow"), dry_run = flag_of(body, "dry_run");
  if (!ids) return std::unexpected(ids.error());
  if (!reason) return std::unexpected(reason.error());
  for (const auto* flag : {&all, &allow, &dry_run}) {
    if (!*flag) return std::unexpected(flag->error());
  }
  out.ids = std::move(*ids);
  out.reason = std::move(*reason);
  out.all = *all;
  out.allow = *allow;
  out.dry_run = *dry_run;
  return out;
}

Response quarantine_deed(Call& call, const char* deed) {
  const auto body = body_of(call);
  if (!body) return failure(body.error());
  const auto wish = wish_of(*body);
  if (!wish) return failure(wish.error());
  if (wish->allow && std::string_view(deed) != "release") return failure({base::Kind::kUsage, "what is deleted is not allowed"});
  if (wish->allow && call.caller.role != admin::Role::kAdmin) {
    return failure({base::Kind::kPermission, "only an admin may put a sender on the allow list"});
  }
  admin::QuarantineDone done;
  const auto status = admin::run_quarantine(*call.gateway, deed, *wish, call.caller.name, done);
  call.detail = fmt::format("{} {}", done.outcome.changed, wish->dry_run ? "would be changed" : "changed");
  for (const auto& sender : done.senders) call.detail += fmt::format(", {} {}", wish->dry_run ? "would allow" : "allowed", base::printable(sender));
  if (!status) return failure(status.error());
  json failed = json::array();
  for (const auto& id : done.outcome.missing) failed.push_back({{"queue_id", id}, {"reason", "not in the queue"}});
  return answer({{"changed", done.outcome.changed}, {"busy", done.outcome.busy}, {"failed", failed}, {"allowed", done.senders}});
}

}  // namespace

Response show_filters(Call& call) {
  const auto& config = call.gateway->config();
  const auto filtering = admin::look_at_filters(*call.gateway);
  json out = json::parse(admin::filtering_json(filtering));
  out["warnings"] = admin::filter_warnings(filtering, admin::filtered_domains(config));
  out["while_down"] = config.filtering;
  out["lists"] = lists_json(config.lists);
  out["dnsbl"] = dnsbl_json(config.dnsbl);
  out["greylist"] = greylist_json(config);
  out["counts"] = counts_json(*call.gateway);
  return answer(out);
}

Response bypass_filters(Call& call) {
  const auto body = body_of(call);
  if (!body) return failure(body.error());
  const auto word = text_of(*body, "word"), length = text_of(*body, "for"), destination = text_of(*body, "destination"), domain = text_of(*body, "domain");
  for (const auto* text : {&word, &length, &destination, &domain}) {
    if (!*text) return failure(text->error());
  }
  const auto words = admin::bypass_words(call.gateway->config(), *word, *length, *destination, *domain);
  if (!words) return failure(words.error());
  call.detail = fmt::format("{}{}{}{}", *word, length->empty() ? "" : " for " + base::printable(*length),
                            destination->empty() ? "" : " of " + base::printable(*destination), domain->empty() ? "" : " of " + base::printable(*domain));
  return ask(call, "prober", "filter.bypass", *words, kChangePatience);
}

Response test_filters(Call& call) {
  const auto body = body_of(call);
  if (!body) return failure(body.error());
  const auto filter = text_of(*body, "filter"), content = text_of(*body, "content");
  if (!filter) return failure(filter.error());
  if (!content) return failure(content.error());
  const auto answers = admin::ask_filters(call.gateway->config(), {.filter = *filter, .sender = {}, .recipient = {}, .content = *content});
  if (!answers) return failure(answers.error());
  std::vector<std::string> lines;
  for (const auto& said : *answers) lines.push_back(admin::trial_json(said));
  const bool good = admin::trial_exit(*answers) == 0;
  call.detail = fmt::format("{}: {}", filter->empty() ? "all" : base::printable(*filter), good ? "good" : "not all accept");
  return answer_text(fmt::format("{{\"good\":{},\"filters\":{}}}\n", good, array_of(lines)));
}

Response show_quarantine(Call& call) {
  const auto found = admin::look_at_quarantine(*call.gateway, kBudget);
  if (!found) return failure(found.error());
  std::vector<std::string> lines;
  for (const auto& group : found->groups) lines.push_back(admin::group_json(group));
  return answer_text(fmt::format("{{\"reasons\":{},\"complete\":{}}}\n", array_of(lines), found->complete));
}

Response release_quarantine(Call& call) { return quarantine_deed(call, "release"); }
Response delete_quarantine(Call& call) { return quarantine_deed(call, "delete"); }

}  // namespace holdfast::webd
