#include "gatewayctl/report_command.h"

#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/admin/report_json.h"
#include "common/admin/report_look.h"
#include "common/admin/report_times.h"
#include "common/storage/history.h"

namespace holdfast::gatewayctl {
namespace {

struct Wish {
  bool send = false, daily = false, weekly = false;
};

base::Status read_history(const std::string& state, const std::function<void(const storage::History&, const storage::Txn&)>& questions) {
  const auto history = storage::History::open(state, true);
  if (!history) return std::unexpected(history.error());
  storage::ReadTxn txn((*history)->env());
  const storage::ReadTxn::View view(txn);
  if (!view) return std::unexpected(view.error());
  questions(**history, txn);
  return {};
}

void run_report(Invocation& invocation, const Wish& wish) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    if (wish.daily && wish.weekly) return base::fail(base::Kind::kUsage, "--daily and --weekly: one of them");
    const auto& config = gateway.config();
    const bool weekly = wish.weekly || (!wish.daily && config.alerts.report.every == "weekly");
    const auto now_s = base::to_millis(base::wall_now()) / 1000;
    const auto made = look_for_report(
        gateway, weekly, period_begin(weekly, now_s), now_s,
        [&](const auto& questions) { return read_history(config.paths.state, questions); }, always);
    if (!wish.send) {
      std::fputs((invocation.json ? report_json(made) : report_text(made)).c_str(), stdout);
      return {};
    }
    const auto body = report_body(made);
    const auto sent = gateway.ask("alertd", "report.send", {"", report_title(made), body.boundary, body.content});
    if (!sent) return std::unexpected(sent.error());
    std::puts(invocation.json ? sent->c_str() : "The report waits to be sent; gatewayctl alert list shows how its roads do.");
    return {};
  });
}

}  // namespace

void add_report_command(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("report", "what passed, was refused, queued and bounced until now, outages, the busiest refusals");
  auto wish = std::make_shared<Wish>();
  command->add_flag("--daily", wish->daily, "of the last day (as alerts.report.every says, else a day)");
  command->add_flag("--weekly", wish->weekly, "of the last seven days");
  command->add_flag("--send", wish->send, "by mail, with its graphs, to alerts.report.to, instead of printing it");
  command->callback([&invocation, wish] { run_report(invocation, *wish); });
}

}  // namespace holdfast::gatewayctl
