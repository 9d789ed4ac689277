#include "gatewayctl/config_commands.h"

#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/config/load.h"
#include "common/config/schedule.h"
#include "common/config/show.h"
#include "common/admin/text_json.h"

namespace holdfast::gatewayctl {
namespace {

// The file as it lies there: never the running one in its place.
void with_file(Invocation& invocation, const std::function<base::Status(const config::Config&)>& body,
               config::Files files = config::Files::kSkip) {
  const auto config = config::load(invocation.config_file, files);
  const base::Status done = config ? body(*config) : std::unexpected(config.error());
  if (!done) invocation.exit_code = report(done.error());
}

void run_check(Invocation& invocation) {
  with_file(invocation, [&](const config::Config& config) -> base::Status {
    for (const auto& warning : config.warnings) std::fprintf(stderr, "gatewayctl: warning: %s\n", warning.c_str());
    if (invocation.json) {
      std::fputs(dump_line({{"good", true}, {"warnings", config.warnings}}).c_str(), stdout);
    } else {
      fmt::print("{}: good\n", config.file);
    }
    return {};
  }, config::Files::kCheck);
}

void run_show(Invocation& invocation, bool only_changed) {
  with_file(invocation, [&](const config::Config& config) -> base::Status {
    if (!invocation.json) {
      std::fputs(config::show(config, only_changed ? config::Style::kChanged : config::Style::kAll).c_str(), stdout);
      return {};
    }
    for (const auto& setting : config::list(config)) {
      if (only_changed && setting.is_default) continue;
      std::fputs(dump_line({{"name", setting.name}, {"value", setting.value}, {"default", setting.is_default}}).c_str(),
                 stdout);
    }
    return {};
  });
}

void run_diff(Invocation& invocation) {
  with_file(invocation, [&](const config::Config& config) -> base::Status {
    const auto running = config::load_alone(config.paths.run + "/running.yaml");
    if (!running)
      return base::fail(base::Kind::kUnavailable, "nothing is known of a running gateway: " + running.error().text);
    const auto changes = config::difference(*running, config);
    for (const auto& c : changes) {
      const bool restart = c.reload == config::Reload::kRestart;
      if (invocation.json) {
        std::fputs(
            dump_line({{"name", c.name}, {"before", c.before}, {"after", c.after}, {"needs_restart", restart}}).c_str(),
            stdout);
      } else {
        fmt::print("{}: {} -> {}{}\n", c.name, c.before.empty() ? "-" : c.before, c.after.empty() ? "-" : c.after,
                   restart ? "  (needs a restart)" : "");
      }
    }
    if (changes.empty() && !invocation.json) std::puts("The running configuration is the one in the file.");
    return {};
  });
}

void run_reload(Invocation& invocation) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto answer = gateway.ask("master", "master.reload");
    if (!answer) return std::unexpected(answer.error());
    std::puts(invocation.json ? answer->c_str() : "The configuration is in force.");
    return {};
  });
}

}  // namespace

void add_config_commands(CLI::App& app, Invocation& invocation) {
  auto* config = app.add_subcommand("config", "the configuration: check, show, diff, reload, reference, schedules")
                     ->require_subcommand(1);
  config->add_subcommand("check", "is the file good?")->callback([&] { run_check(invocation); });
  auto only_changed = std::make_shared<bool>(false);
  auto* show = config->add_subcommand("show", "every setting and its value");
  show->add_flag("-n", *only_changed, "only what differs from the default");
  show->callback([&invocation, only_changed] { run_show(invocation, *only_changed); });
  config->add_subcommand("diff", "what a reload would change")->callback([&] { run_diff(invocation); });
  config->add_subcommand("reload", "put the file into force")->callback([&] { run_reload(invocation); });
  config->add_subcommand("reference", "docs/settings.md")->callback([] {
    std::fputs(config::reference().c_str(), stdout);
  });
  config->add_subcommand("schedules", "docs/schedules.md: every attempt of the named schedules")->callback([] {
    std::fputs(config::schedule_reference().c_str(), stdout);
  });
}

}  // namespace holdfast::gatewayctl
