// The admin's hand on the gateway: gatewayctl COMMAND …. Under the names mailq, postqueue and postsuper it is
// these.
#include <cstdio>
#include <exception>
#include <filesystem>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/base/text.h"
#include "gatewayctl/alert_commands.h"
#include "gatewayctl/completion.h"
#include "gatewayctl/config_commands.h"
#include "gatewayctl/dest_commands.h"
#include "gatewayctl/figures_commands.h"
#include "gatewayctl/filter_commands.h"
#include "gatewayctl/greylist_commands.h"
#include "gatewayctl/list_commands.h"
#include "gatewayctl/manual.h"
#include "gatewayctl/quarantine_commands.h"
#include "gatewayctl/queue_commands.h"
#include "gatewayctl/rcpt_commands.h"
#include "gatewayctl/report_command.h"
#include "gatewayctl/selftest.h"
#include "gatewayctl/sink.h"
#include "gatewayctl/status_command.h"
#include "gatewayctl/streams.h"
#include "gatewayctl/support_bundle.h"
#include "gatewayctl/trace_command.h"
#include "gatewayctl/web_commands.h"

namespace {

using namespace holdfast;

std::vector<std::string> words_of(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  const std::string name = std::filesystem::path(argv[0]).filename();
  if (name == "mailq" || name == "postqueue" || name == "postsuper") words.insert(words.begin(), name);
  return {words.rbegin(), words.rend()};  // CLI11 takes them from the back
}

// Of a command line that has no command CLI11 says just that, also when a word is there that is none.
bool named_no_command(const CLI::App& app, const CLI::ParseError& error) {
  if (!std::string_view(error.what()).starts_with("A subcommand is required")) return false;
  const auto words = app.remaining(true);
  if (words.empty() || words.front().starts_with('-')) return false;
  fmt::print(stderr, "gatewayctl: there is no command '{}'; --help shows those there are\n", base::printable(words.front()));
  return true;
}

int parse(CLI::App& app, std::vector<std::string> words) {
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    if (named_no_command(app, error)) return base::exit_code(base::Kind::kUsage);
    return app.exit(error) == 0 ? 0 : base::exit_code(base::Kind::kUsage);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  gatewayctl::hold_streams();
  CLI::App app("Holdfast's admin tool", "gatewayctl");
  gatewayctl::Invocation invocation;
  app.add_option("--config", invocation.config_file, "the configuration")->capture_default_str();
  app.add_flag("--json", invocation.json, "JSON, one object a line");
  app.require_subcommand(1);
  app.fallthrough();
  gatewayctl::add_status_commands(app, invocation);
  gatewayctl::add_figures_commands(app, invocation);
  gatewayctl::add_queue_commands(app, invocation);
  gatewayctl::add_dest_commands(app, invocation);
  gatewayctl::add_domain_commands(app, invocation);
  gatewayctl::add_rcpt_commands(app, invocation);
  gatewayctl::add_list_commands(app, invocation);
  gatewayctl::add_greylist_commands(app, invocation);
  gatewayctl::add_filter_commands(app, invocation);
  gatewayctl::add_quarantine_commands(app, invocation);
  gatewayctl::add_alert_commands(app, invocation);
  gatewayctl::add_report_command(app, invocation);
  gatewayctl::add_config_commands(app, invocation);
  gatewayctl::add_trace_command(app, invocation);
  gatewayctl::add_web_commands(app, invocation);
  gatewayctl::add_selftest(app, invocation);
  gatewayctl::add_support_bundle(app, invocation);
  gatewayctl::add_sink_command(app, invocation.exit_code);
  gatewayctl::add_manual_command(app, invocation);
  gatewayctl::add_completion_command(app, invocation);
  int code = 0;
  try {
    const int wrong = parse(app, words_of(argc, argv));
    code = wrong != 0 ? wrong : invocation.exit_code;
  } catch (const std::exception& error) {  // fmt throws what it cannot print
    if (std::ferror(stdout) == 0) code = gatewayctl::report({base::Kind::kInternal, error.what()});
  }
  return gatewayctl::finish_output(code);
}
