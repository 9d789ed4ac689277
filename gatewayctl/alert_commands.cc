#include "gatewayctl/alert_commands.h"

#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/admin/alert_report.h"
#include "common/admin/text_json.h"
#include "common/config/alert_kinds.h"
#include "common/config/values.h"

namespace holdfast::gatewayctl {
namespace {

constexpr base::Seconds kTest{600};

std::unexpected<base::Error> strange() { return base::fail(base::Kind::kData, "alertd's answer cannot be understood"); }

void list_alerts(Invocation& invocation) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto answer = gateway.ask("alertd", "alert.list");
    if (!answer) return std::unexpected(answer.error());
    const auto text = invocation.json ? alerts_lines(*answer) : alerts_text(*answer);
    if (!text) return strange();
    std::fputs(text->c_str(), stdout);
    return {};
  });
}

void run_test(Invocation& invocation) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto answer = gateway.ask("alertd", "alert.test", {}, kTest);
    if (!answer) return std::unexpected(answer.error());
    const auto report = test_report(*answer);
    if (!report) return strange();
    std::fputs(invocation.json ? report->lines.c_str() : report->text.c_str(), stdout);
    if (!report->good) invocation.exit_code = base::exit_code(base::Kind::kTemporary);
    return {};
  });
}

void run_change(Invocation& invocation, const std::string& command, const std::vector<std::string>& words, const std::string& done) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto answer = gateway.ask("alertd", command, words);
    if (!answer) return std::unexpected(answer.error());
    std::puts(invocation.json ? answer->c_str() : done.c_str());
    return {};
  });
}

void run_silence(Invocation& invocation, const std::string& what, const std::string& length) {
  const auto time = config::parse_duration(length);
  if (!time || time->count() == 0) {
    invocation.exit_code = report({base::Kind::kUsage, time ? "--for must be more than 0" : "--for: " + time.error().text});
    return;
  }
  run_change(invocation, "alert.silence", {what, fmt::format("{}", time->count())},
             fmt::format("Nothing is sent about {} for {}.", what, base::spell(*time)));
}

}  // namespace

void add_alert_commands(CLI::App& app, Invocation& invocation) {
  auto* alert = app.add_subcommand("alert", "who is told of what: list, test, ack, silence, unsilence, reference")->require_subcommand(1);
  alert->add_subcommand("list", "what is open, how each road does, what is silenced")->callback([&] { list_alerts(invocation); });
  alert->add_subcommand("test", "send one by each road, and say what the other side answered; 75 if any road fails")
      ->callback([&] { run_test(invocation); });
  auto word = std::make_shared<std::string>(), length = std::make_shared<std::string>();
  auto* ack = alert->add_subcommand("ack", "no more repeats of this alert; its all-clear still comes");
  ack->add_option("ID", *word, "its number, as `alert list` shows it")->required();
  ack->callback([&invocation, word] { run_change(invocation, "alert.ack", {*word}, fmt::format("Alert {} is not repeated.", *word)); });
  auto* silence = alert->add_subcommand("silence", "send nothing of a kind or about a subject for a while");
  silence->add_option("WHAT", *word, "a kind (docs/alerts.md), a destination or domain, or KIND:SUBJECT")->required();
  silence->add_option("--for", *length, "how long: 2h, 3d")->required();
  silence->callback([&invocation, word, length] { run_silence(invocation, *word, *length); });
  auto* unsilence = alert->add_subcommand("unsilence", "send it again");
  unsilence->add_option("WHAT", *word, "as it was silenced")->required();
  unsilence->callback([&invocation, word] { run_change(invocation, "alert.unsilence", {*word}, fmt::format("{} is heard of again.", *word)); });
  alert->add_subcommand("reference", "docs/alerts.md")->callback([] { std::fputs(config::alert_reference().c_str(), stdout); });
}

}  // namespace holdfast::gatewayctl
