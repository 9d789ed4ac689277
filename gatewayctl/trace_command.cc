#include "gatewayctl/trace_command.h"

#include <cstdio>
#include <memory>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "common/admin/log_search.h"
#include "common/base/text.h"

namespace holdfast::gatewayctl {
namespace {

void print(const Invocation& invocation, const FoundLine& found) {
  const std::string object = invocation.json ? found_json(found) : "";
  const std::string text = object.empty() ? base::printable(found.line) + "\n" : object;
  std::fputs(text.c_str(), stdout);
}

// Until the reader has had enough.
base::Status follow_logs(const Invocation& invocation, const std::string& folder, LogSearch& search) {
  const auto watch = FolderWatch::open(folder);
  if (!watch) return std::unexpected(watch.error());
  for (;;) {
    if (auto done = search.added([&](const FoundLine& found) { print(invocation, found); }); !done) return done;
    if (std::fflush(stdout) != 0) return {};
    if (auto done = watch->wait(); !done) return done;
  }
}

void run_trace(Invocation& invocation, const std::string& what, bool follow) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    if (base::trim(what).size() < 2)
      return base::fail(base::Kind::kUsage, "what is to be traced? A queue id, an address or a message-id");
    const auto& folder = gateway.config().paths.log;
    LogSearch search(folder, what);
    if (auto done = search.add_queued(gateway, std::string(base::trim(what))); !done) return done;
    if (auto done = search.search(); !done) return done;
    for (const auto& found : search.found()) print(invocation, found);
    std::fflush(stdout);
    if (follow) return follow_logs(invocation, folder, search);
    if (!search.found().empty()) return {};
    return base::fail(base::Kind::kNotFound, fmt::format("the logs do not speak of {}", base::printable(what)));
  });
}

}  // namespace

void add_trace_command(CLI::App& app, Invocation& invocation) {
  auto* trace = app.add_subcommand("trace", "where did my message go: what all logs say of it, in order of time");
  auto what = std::make_shared<std::string>();
  auto follow = std::make_shared<bool>(false);
  trace->add_option("WHAT", *what, "a queue id, an address, @DOMAIN, or a message-id")->required();
  trace->add_flag("--follow,-f", *follow, "and what is added to the logs, until interrupted");
  trace->footer("Rotated logs are read too (NAME.log.1, NAME.log.2.gz). Bounces that came of a message belong to it.");
  trace->callback([&invocation, what, follow] { run_trace(invocation, *what, *follow); });
}

}  // namespace holdfast::gatewayctl
