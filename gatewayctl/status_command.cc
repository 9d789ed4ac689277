#include "gatewayctl/status_command.h"

#include <cstdio>

#include <CLI/CLI.hpp>

#include "common/admin/status_look.h"
#include "common/admin/text_json.h"
#include "gatewayctl/log_tail.h"

namespace holdfast::gatewayctl {
namespace {

void run_status(Invocation& invocation) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const Status status = gather(gateway);
    const std::string text = invocation.json ? status_json(status) : status_text(status);
    std::fputs(text.c_str(), stdout);
    return {};
  });
}

// A command to master whose answer is only that it was done.
void run_master(Invocation& invocation, const std::string& command, const std::vector<std::string>& words,
                const std::string& done) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto answer = gateway.ask("master", command, words);
    if (!answer) return std::unexpected(answer.error());
    std::puts(invocation.json ? answer->c_str() : done.c_str());
    return {};
  });
}

void run_version(const Invocation& invocation) {
  if (invocation.json) {
    std::fputs(dump_line({{"name", "holdfast"}, {"version", HOLDFAST_VERSION}}).c_str(), stdout);
  } else {
    std::puts("Holdfast " HOLDFAST_VERSION);
  }
}

}  // namespace

void add_status_commands(CLI::App& app, Invocation& invocation) {
  app.add_subcommand("status", "the situation: daemons, destinations, domains, queue, disk")->callback([&] {
    run_status(invocation);
  });
  app.add_subcommand("version", "which Holdfast this is")->callback([&] { run_version(invocation); });

  auto* restart = app.add_subcommand("restart", "restart one daemon; the others go on");
  auto name = std::make_shared<std::string>();
  restart->add_option("NAME", *name, "smtpd, qmgr, deliver, prober or alertd")->required();
  restart->callback([&invocation, name] { run_master(invocation, "master.restart", {*name}, "restarting " + *name); });

  auto* log = app.add_subcommand("log", "what is logged")->require_subcommand(1);
  auto* level = log->add_subcommand("level", "log more, until the next reload or restart");
  auto word = std::make_shared<std::string>();
  level->add_option("LEVEL", *word, "debug or normal")->required();
  level->callback(
      [&invocation, word] { run_master(invocation, "master.log_level", {*word}, "the log level is " + *word); });
  add_log_tail(*log, invocation);
}

}  // namespace holdfast::gatewayctl
