// gatewayctl sink: a mail server for tests and demonstrations, on our own protocol core. It takes all mail,
// or refuses, tempfails, stalls or drops at any stage, as it is told by options, on its standard input, on a
// control socket, or by the addresses of the mail itself (sink_rules.h).
//
// SIGUSR1 prints the counts, SIGUSR2 closes the listening sockets or opens them again, SIGTERM and SIGINT
// end it. It needs no configuration file.
#pragma once

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

// Adds the subcommand. When it was given, it runs to its end inside CLI11's parse, and `exit_code` is set.
void add_sink_command(CLI::App& app, int& exit_code);

}  // namespace holdfast::gatewayctl
