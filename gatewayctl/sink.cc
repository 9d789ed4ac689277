#include "gatewayctl/sink.h"

#include <cstdio>
#include <memory>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "common/base/error.h"
#include "gatewayctl/sink_server.h"

namespace holdfast::gatewayctl {
namespace {

struct Arguments {
  sink::Options options;
  bool no_pipelining = false;
  bool no_8bitmime = false;
  bool normalize = false;
};

int run(Arguments arguments) {
  arguments.options.smtp.pipelining = !arguments.no_pipelining;
  arguments.options.smtp.eightbitmime = !arguments.no_8bitmime;
  if (arguments.normalize) arguments.options.smtp.bare_newline = smtp::BareNewline::kNormalize;
  sink::Server server(std::move(arguments.options));
  if (const auto status = server.start(); !status) {
    fmt::print(stderr, "gatewayctl sink: {}\n", status.error().text);
    return base::exit_code(status.error().kind);
  }
  server.serve();
  return 0;
}

}  // namespace

void add_sink_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("sink", "A test destination: takes mail, or fails on demand");
  const auto arguments = std::make_shared<Arguments>();
  sink::Options& options = arguments->options;
  options.smtp.hostname = "sink.test";
  options.smtp.max_errors = 0;
  command->add_option("--listen", options.listen, "ADDRESS:PORT; port 0: any; may be given again")->required();
  command->add_option(
      "--on", options.rules,
      "A rule: STAGE [from=WHO] [to=WHO] [times=N] ACTION; STAGE: connect, ehlo, mail, rcpt, data, content, "
      "dot; ACTION: accept, refuse, tempfail, a 4xx or 5xx reply, stall [SECONDS], drop; may be given again");
  command->add_option("--control", options.control, "Unix socket that takes rules, reset, counts, down, up, quit");
  command->add_option("--save", options.store.folder, "Folder for the messages: NNNNNN.eml and NNNNNN.json");
  command->add_flag("--print", options.store.print, "A line for each message");
  command->add_flag("--json", options.store.json, "Lines and counts as JSON objects");
  command->add_option("--hostname", options.smtp.hostname, "In the banner and EHLO")->capture_default_str();
  command->add_option("--size-limit", options.smtp.size_limit, "Bytes a message; 0: no limit")->capture_default_str();
  command->add_flag("--no-pipelining", arguments->no_pipelining, "Do not offer PIPELINING");
  command->add_flag("--no-8bitmime", arguments->no_8bitmime, "Do not offer 8BITMIME");
  command->add_flag("--normalize", arguments->normalize, "Take bare CR and LF in content as line ends");
  command->footer(
      "The same words, and reset, counts, down, up, quit, are read from standard input while it runs. An address\n"
      "can say it too: its local part is ACTION-STAGE, as in refuse-rcpt@… or tempfail-dot@….\n"
      "SIGUSR1 prints the counts, SIGUSR2 closes the listening sockets or opens them again.");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace holdfast::gatewayctl
