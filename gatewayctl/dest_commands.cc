#include "gatewayctl/dest_commands.h"

#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/admin/dest_look.h"
#include "common/config/values.h"

namespace holdfast::gatewayctl {
namespace {

std::int64_t now_ms() { return base::to_millis(base::wall_now()); }

void show(const Invocation& invocation, const DestinationView& view) {
  std::fputs((invocation.json ? destination_json(view) : destination_text(view, now_ms())).c_str(), stdout);
}

void run_list(Invocation& invocation) {
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

CLI::App* add_named(CLI::App& parent, const char* command, const char* help, const std::shared_ptr<std::string>& name) {
  auto* out = parent.add_subcommand(command, help);
  out->add_option("NAME", *name, "its name")->required();
  return out;
}

}  // namespace

void add_dest_commands(CLI::App& app, Invocation& invocation) {
  auto* dest = app.add_subcommand("dest", "destinations: list, show, probe, pause, resume")->require_subcommand(1);
  dest->add_subcommand("list", "all destinations and their states")->callback([&] { run_list(invocation); });
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
  auto pause = std::make_shared<Pause>();
  auto* command = dest->add_subcommand("pause", "send it nothing: known recipients' mail is kept");
  command->add_option("NAME", pause->name, "its name")->required();
  command->add_option("--reason", pause->reason, "shown to whoever looks");
  command->add_option("--for", pause->duration, "resume by itself after this long: 90s, 15m, 4h, 4d");
  command->callback([&invocation, pause] { run_pause(invocation, *pause); });
}

void add_domain_commands(CLI::App& app, Invocation& invocation) {
  auto* domain = app.add_subcommand("domain", "domains: list, show")->require_subcommand(1);
  domain->add_subcommand("list", "all domains that mail is relayed for")->callback([&] {
    run_domain_list(invocation);
  });
  auto name = std::make_shared<std::string>();
  add_named(*domain, "show", "one domain", name)->callback([&invocation, name] { run_domain_show(invocation, *name); });
}

}  // namespace holdfast::gatewayctl
