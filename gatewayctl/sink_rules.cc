#include "gatewayctl/sink_rules.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/smtp/reply_parser.h"

namespace holdfast::gatewayctl::sink {
namespace {

struct StageName {
  std::string_view text;
  Stage stage;
};
constexpr std::array<StageName, 8> kStages{{{"connect", Stage::kConnect},
                                            {"ehlo", Stage::kEhlo},
                                            {"helo", Stage::kEhlo},
                                            {"mail", Stage::kMail},
                                            {"rcpt", Stage::kRcpt},
                                            {"data", Stage::kData},
                                            {"content", Stage::kContent},
                                            {"dot", Stage::kDot}}};

std::optional<Stage> parse_stage(std::string_view word) {
  for (const StageName& name : kStages) {
    if (base::iequals(name.text, word)) return name.stage;
  }
  return std::nullopt;
}

std::string_view take_word(std::string_view& words) {
  words = base::trim(words);
  const std::string_view word = words.substr(0, words.find(' '));
  words.remove_prefix(word.size());
  words = base::trim(words);
  return word;
}

Action refuse() { return {Action::Kind::kReply, mail::Reply::make(550, "5.0.0", "Refused, as told"), {}}; }
Action tempfail() { return {Action::Kind::kReply, mail::Reply::make(451, "4.0.0", "Not now, as told"), {}}; }

base::Result<Action> parse_stall(std::string_view seconds) {
  if (seconds.empty()) return Action{Action::Kind::kStall, {}, std::nullopt};
  const auto number = base::to_number(seconds);
  if (!number || *number > 86400) return base::fail(base::Kind::kUsage, "stall: seconds are wanted, at most 86400");
  return Action{Action::Kind::kStall, {}, base::Seconds(*number)};
}

base::Result<Action> parse_action(std::string_view words) {
  std::string_view rest = words;
  const std::string_view word = take_word(rest);
  if (word == "stall") return parse_stall(rest);
  if (rest.empty()) {
    if (word == "accept") return Action{};
    if (word == "refuse") return refuse();
    if (word == "tempfail") return tempfail();
    if (word == "drop") return Action{Action::Kind::kDrop, {}, {}};
  }
  smtp::ReplyParser parser;
  const auto progress = parser.line(words, words.size());
  mail::Reply reply = parser.take();
  if (!progress || *progress != smtp::ReplyParser::Progress::kComplete || reply.code < 400) {
    return base::fail(
        base::Kind::kUsage,
        fmt::format("no such action: \"{}\" (accept, refuse, tempfail, stall, drop, or a 4xx or 5xx reply)",
                    base::printable(words)));
  }
  smtp::split_enhanced(reply);
  return Action{Action::Kind::kReply, std::move(reply), {}};
}

// from=, to= and times= before the action.
base::Status take_conditions(Rule& rule, std::string_view& words) {
  for (;;) {
    std::string_view rest = words;
    const std::string_view word = take_word(rest);
    const auto equals = word.find('=');
    if (equals == std::string_view::npos) return {};
    const std::string_view key = word.substr(0, equals);
    const std::string_view value = word.substr(equals + 1);
    if (key == "from") {
      rule.from = value;
    } else if (key == "to") {
      rule.to = value;
    } else if (key == "times" && base::to_number(value).value_or(0) > 0) {
      rule.times = base::to_number(value);
    } else {
      return base::fail(base::Kind::kUsage, fmt::format("not understood: \"{}\"", base::printable(word)));
    }
    words = rest;
  }
}

std::string_view local_part(std::string_view address) { return address.substr(0, address.rfind('@')); }

bool is_of(std::string_view who, std::string_view address) {
  return base::iequals(who, address) || base::iequals(who, local_part(address));
}

bool fits(const Rule& rule, Stage stage, std::string_view sender, const std::vector<std::string>& recipients) {
  if (rule.stage != stage) return false;
  if (!rule.from.empty() && !is_of(rule.from, sender)) return false;
  return rule.to.empty() || std::any_of(recipients.begin(), recipients.end(),
                                        [&](const auto& address) { return is_of(rule.to, address); });
}

// What the local part of an address asks for.
std::optional<Action> asked_by(std::string_view address, Stage stage) {
  const std::string_view local = local_part(address);
  const auto dash = local.find('-');
  if (dash == std::string_view::npos || parse_stage(local.substr(dash + 1)) != stage) return std::nullopt;
  const std::string_view action = local.substr(0, dash);
  if (base::iequals(action, "stall")) return Action{Action::Kind::kStall, {}, {}};
  if (base::iequals(action, "drop")) return Action{Action::Kind::kDrop, {}, {}};
  if (stage == Stage::kContent) return std::nullopt;
  if (base::iequals(action, "refuse")) return refuse();
  if (base::iequals(action, "tempfail")) return tempfail();
  return std::nullopt;
}

}  // namespace

base::Result<Rule> parse_rule(std::string_view words) {
  Rule rule;
  const std::string_view stage_word = take_word(words);
  const auto stage = parse_stage(stage_word);
  if (!stage) {
    return base::fail(base::Kind::kUsage,
                      fmt::format("no such stage: \"{}\" (connect, ehlo, mail, rcpt, data, content, dot)",
                                  base::printable(stage_word)));
  }
  rule.stage = *stage;
  if (auto status = take_conditions(rule, words); !status) return std::unexpected(status.error());
  auto action = parse_action(words);
  if (!action) return std::unexpected(action.error());
  if (*stage == Stage::kContent && action->kind == Action::Kind::kReply) {
    return base::fail(base::Kind::kUsage, "at content there is no reply: stall or drop");
  }
  rule.action = *std::move(action);
  return rule;
}

Action Rules::decide(Stage stage, std::string_view sender, const std::vector<std::string>& recipients) {
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (!fits(*rule, stage, sender, recipients)) continue;
    Action action = rule->action;
    if (rule->times && --*rule->times == 0) rules_.erase(std::next(rule).base());
    return action;
  }
  if (stage == Stage::kConnect || stage == Stage::kEhlo) return {};
  if (auto action = asked_by(sender, stage)) return *std::move(action);
  for (const auto& recipient : recipients) {
    if (auto action = asked_by(recipient, stage)) return *std::move(action);
  }
  return {};
}

}  // namespace holdfast::gatewayctl::sink
