#include "common/admin/filter_trial.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/admin/text_json.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "common/filtering/edits.h"
#include "common/scanning/filters_of.h"

namespace holdfast::admin {
namespace {

using filtering::Outcome;

constexpr net::Millis kPatience{120'000};

std::string recipient_for(const config::Config& config, const config::Filter& filter) {
  for (const auto& [name, domain] : config.domains) {
    if (filter.asks_after(name)) return "postmaster@" + name;
  }
  return "postmaster@" + config.hostname;
}

filtering::TrialResult ask_one(const config::Config& config, const config::Filter& filter, const FilterQuestion& question) {
  filtering::TrialMail mail{.hostname = config.hostname, .sender = question.sender, .recipient = question.recipient, .content = {}};
  if (mail.sender.empty()) mail.sender = "postmaster@" + config.hostname;
  if (mail.sender == "<>") mail.sender.clear();
  if (mail.recipient.empty()) mail.recipient = recipient_for(config, filter);
  mail.content = question.content.empty() ? filtering::harmless_mail(mail.hostname, mail.sender, mail.recipient, base::rfc5322_date(base::wall_now()))
                                          : filtering::body_to_wire(question.content);
  return filtering::try_filter(scanning::spec_of(filter, config), mail, kPatience);
}

std::string verdict(const filtering::TrialResult& said) {
  if (!said.fault.empty()) return "fails";
  switch (said.outcome.kind) {
    case Outcome::Kind::kContinue: return said.changes.quarantine ? "quarantines" : "accepts";
    case Outcome::Kind::kRefuse: return "refuses";
    case Outcome::Kind::kDiscard: return "discards";
    case Outcome::Kind::kShutdown: return "closes the connection";
  }
  return "";
}

std::string why(const filtering::TrialResult& said) {
  if (!said.fault.empty()) return said.fault;
  if (said.changes.quarantine) return *said.changes.quarantine;
  const bool refused = said.outcome.kind == Outcome::Kind::kRefuse || said.outcome.kind == Outcome::Kind::kShutdown;
  return refused ? fmt::format("{} (at {})", said.outcome.reply.text(), said.stage) : "";
}

// "+ X-Spam: yes", a line each.
std::vector<std::string> changes_of(const filtering::TrialResult& said) {
  std::vector<std::string> out;
  for (const auto& field : said.removed_fields) out.push_back("- " + field);
  for (const auto& field : said.added_fields) out.push_back("+ " + field);
  if (said.new_body) out.emplace_back("another body");
  if (said.changes.sender) out.push_back(fmt::format("sender <{}>", *said.changes.sender));
  for (const auto& gone : said.changes.deleted) out.push_back("- recipient " + gone);
  for (const auto& more : said.changes.added) out.push_back("+ recipient " + more.address);
  return out;
}

}  // namespace

base::Result<std::vector<FilterAnswer>> ask_filters(const config::Config& config, const FilterQuestion& question) {
  std::vector<FilterAnswer> out;
  for (const auto& filter : config.filters) {
    if (question.filter.empty() || filter.name == question.filter) out.push_back({filter.name, ask_one(config, filter, question)});
  }
  if (!out.empty()) return out;
  if (question.filter.empty()) return base::fail(base::Kind::kNotFound, "no filter is configured");
  return base::fail(base::Kind::kNotFound, fmt::format("there is no filter '{}'", base::printable(question.filter)));
}

int trial_exit(const std::vector<FilterAnswer>& answers) {
  if (std::ranges::any_of(answers, [](const auto& a) { return !a.said.fault.empty(); })) return base::exit_code(base::Kind::kUnavailable);
  const bool all = std::ranges::all_of(answers, [](const auto& a) { return a.said.accepts(); });
  return all ? 0 : base::exit_code(base::Kind::kData);
}

std::string trial_text(const FilterAnswer& answer) {
  const std::string reason = why(answer.said);
  std::string out = base::printable(fmt::format("{} {}{}", answer.filter, verdict(answer.said), reason.empty() ? "" : ": " + reason)) + "\n";
  for (const auto& change : changes_of(answer.said)) out += "  " + base::printable(change) + "\n";
  return out;
}

std::string trial_json(const FilterAnswer& answer) {
  return dump_line({{"filter", answer.filter}, {"verdict", verdict(answer.said)}, {"accepts", answer.said.accepts()}, {"reason", why(answer.said)},
                    {"changes", changes_of(answer.said)}});
}

}  // namespace holdfast::admin
