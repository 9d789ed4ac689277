#include "gatewayctl/dest_commands.h"

#include <cstdio>
#include <functional>
#include <memory>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/admin/dest_history.h"
#include "common/admin/dest_look.h"
#include "common/admin/text_json.h"
#include "common/base/text.h"
#include "common/config/values.h"
#include "gatewayctl/domain_check.h"
#include "gatewayctl/words.h"

namespace holdfast::gatewayctl {
namespace {

std::int64_t now_ms() { return base::to_millis(base::wall_now()); }

void show(const Invocation& invocation, const DestinationView& view) {
  std::fputs((invocation.json ? destination_json(view) : destination_text(view, now_ms())).c_str(), stdout);
}

void list_destinations(Invocation& invocation) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    Table table = destination_table();
    for (const auto& [name, destination] : gateway.config().destinations) {
      const auto view = view_of(gateway, destination);
      if (invocation.json) {
        std::fputs(destination_json(view).c_str(), stdout);
      } else {
        add_to(table, view, now_ms());
      }
    }
    std::fputs(table.take().c_str(), stdout);
    return {};
  });
}

void run_show(Invocation& invocation, const std::string& name) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto destination = find_destination(gateway, name);
    if (!destination) return std::unexpected(destination.error());
    show(invocation, view_of(gateway, **destination));
    return {};
  });
}

// Asks prober to do something with a destination, then shows how it stands.
void run_deed(Invocation& invocation, const std::string& command, std::vector<std::string> words) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto destination = find_destination(gateway, words.front());
    if (!destination) return std::unexpected(destination.error());
    words.front() = (*destination)->name;
    const auto answer = gateway.ask("prober", "dest." + command, words, base::Seconds{120});
    if (!answer) return std::unexpected(answer.error());
    show(invocation, view_of(gateway, **destination));
    return {};
  });
}

struct Pause {
  std::string name, reason, duration;
};

void run_pause(Invocation& invocation, const Pause& pause) {
  std::string seconds;
  if (!pause.duration.empty()) {
    const auto parsed = config::parse_duration(pause.duration);
    if (!parsed || parsed->count() == 0) {
      const std::string why = parsed ? "--for must be more than 0" : "--for: " + parsed.error().text;
      invocation.exit_code = report({base::Kind::kUsage, why});
      return;
    }
    seconds = fmt::format("{}", parsed->count());
  }
  run_deed(invocation, "pause", {pause.name, pause.reason, seconds});
}

void run_domain_list(Invocation& invocation) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    Table table = domain_table();
    for (const auto& [name, domain] : gateway.config().domains) {
      const auto view = view_of(gateway, domain);
      if (invocation.json) {
        std::fputs(domain_json(view).c_str(), stdout);
      } else {
        add_to(table, view);
      }
    }
    std::fputs(table.take().c_str(), stdout);
    return {};
  });
}

void run_domain_show(Invocation& invocation, const std::string& name) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto* domain = gateway.config().find_domain(name);
    if (domain == nullptr) return base::fail(base::Kind::kNotFound, fmt::format("'{}' is no domain of ours", name));
    const auto view = view_of(gateway, *domain);
    std::fputs((invocation.json ? domain_json(view) : domain_text(view)).c_str(), stdout);
    return {};
  });
}

// One finding a line, as it comes.
void put(const Invocation& invocation, const Finding& finding, std::string& server) {
  if (invocation.json) {
    std::fputs(dump_line({{"server", finding.server.empty() ? json() : json(finding.server)}, {"step", finding.step},
                          {"result", to_text(finding.result)}, {"text", finding.text}}).c_str(), stdout);
    return;
  }
  if (!finding.server.empty() && std::exchange(server, finding.server) != finding.server) fmt::print("{}\n", base::printable(finding.server));
  fmt::print("{:<5} {:<15} {}\n", to_text(finding.result), finding.step, base::printable(finding.text));
  std::fflush(stdout);
}

std::function<void(const Finding&)> printer(const Invocation& invocation) {
  return [&invocation, server = std::make_shared<std::string>()](const Finding& finding) { put(invocation, finding, *server); };
}

void run_test(Invocation& invocation, const std::string& name) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto destination = find_destination(gateway, name);
    if (!destination) return std::unexpected(destination.error());
    const destination::DestTest test{.config = gateway.config(),
                                     .destination = **destination,
                                     .servers = servers_of(gateway, **destination),
                                     .domain = domain_of(gateway, **destination)};
    if (test.servers.empty()) return base::fail(base::Kind::kTemporary, "no server of it is known yet: see gatewayctl domain check");
    if (!destination::run_dest_test(test, printer(invocation))) invocation.exit_code = base::exit_code(base::Kind::kUnavailable);
    return {};
  });
}

void run_domain_check_of(Invocation& invocation, const std::string& name) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto* domain = gateway.config().find_domain(name);
    if (domain == nullptr) return base::fail(base::Kind::kNotFound, fmt::format("'{}' is no domain of ours", name));
    const bool good = run_domain_check(gateway.config(), domain->name, printer(invocation));
    if (!good) invocation.exit_code = base::exit_code(base::Kind::kData);
    if (!invocation.json) std::fputs(coverage_text(view_of(gateway, *domain)).c_str(), stdout);
    return {};
  });
}

void run_history(Invocation& invocation, const std::string& name, std::size_t most) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto destination = find_destination(gateway, name);
    if (!destination) return std::unexpected(destination.error());
    const auto changes = destination_history(gateway.config().paths.log, (*destination)->name, most);
    if (!changes) return std::unexpected(changes.error());
    const auto now_s = now_ms() / 1000;
    std::fputs((invocation.json ? history_lines_json(*changes, now_s) : history_text(*changes, now_s)).c_str(), stdout);
    return {};
  });
}

CLI::App* add_named(CLI::App& parent, const char* command, const char* help, const std::shared_ptr<std::string>& name) {
  auto* out = parent.add_subcommand(command, help);
  out->add_option("NAME", *name, "its name")->required();
  return out;
}

}  // namespace

void add_dest_commands(CLI::App& app, Invocation& invocation) {
  auto* dest = app.add_subcommand("dest", "destinations: list, show, history, test, probe, pause, resume, force")->require_subcommand(1);
  dest->add_subcommand("list", "all destinations and their states")->callback([&] { list_destinations(invocation); });
  auto name = std::make_shared<std::string>();
  add_named(*dest, "show", "one destination and its servers", name)->callback([&invocation, name] {
    run_show(invocation, *name);
  });
  add_named(*dest, "probe", "look at its servers now", name)->callback([&invocation, name] {
    run_deed(invocation, "probe", {*name});
  });
  add_named(*dest, "resume", "end a pause", name)->callback([&invocation, name] {
    run_deed(invocation, "resume", {*name});
  });
  add_named(*dest, "test", "does it do what a gateway in front of it needs? Asks its servers, delivers nothing", name)
      ->callback([&invocation, name] { run_test(invocation, *name); });
  auto state = std::make_shared<std::string>();
  auto* force = add_named(*dest, "force", "up although probes fail, down although they pass, or auto: as they say", name);
  force->add_option("STATE", *state, "up, down or auto")->required()->check(CLI::IsMember({"up", "down", "auto"}));
  force->callback([&invocation, name, state] { run_deed(invocation, "force", {*name, *state}); });
  auto most = std::make_shared<std::size_t>(100);
  auto* history = add_named(*dest, "history", "its states as far as the logs go back, with the reasons", name);
  history->add_option("--limit", *most, "at most so many, the newest")->check(counting())->capture_default_str();
  history->callback([&invocation, name, most] { run_history(invocation, *name, *most); });
  auto pause = std::make_shared<Pause>();
  auto* command = dest->add_subcommand("pause", "send it nothing: known recipients' mail is kept");
  command->add_option("NAME", pause->name, "its name")->required();
  command->add_option("--reason", pause->reason, "shown to whoever looks");
  command->add_option("--for", pause->duration, "resume by itself after this long: 90s, 15m, 4h, 4d")->check(something());
  command->callback([&invocation, pause] { run_pause(invocation, *pause); });
}

void add_domain_commands(CLI::App& app, Invocation& invocation) {
  auto* domain = app.add_subcommand("domain", "domains: list, show, check")->require_subcommand(1);
  domain->add_subcommand("list", "all domains that mail is relayed for")->callback([&] {
    run_domain_list(invocation);
  });
  auto name = std::make_shared<std::string>();
  add_named(*domain, "show", "one domain", name)->callback([&invocation, name] { run_domain_show(invocation, *name); });
  add_named(*domain, "check", "do its MX records lead here, and to a second site?", name)->callback([&invocation, name] {
    run_domain_check_of(invocation, *name);
  });
}

}  // namespace holdfast::gatewayctl
