// Golden texts of what an admin reads when a configuration is wrong.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "tests/unit/config/texts.h"

namespace holdfast::config {
namespace {

struct Case {
  std::string name, text, fault;
};

class Faulty : public testing::TestWithParam<Case> {};

TEST_P(Faulty, IsSaidWithFileLineAndRemedy) { EXPECT_EQ(faults_of(GetParam().text), GetParam().fault); }

std::string destination(const std::string& settings) {
  return "hostname: a.b\ndestinations:\n  office:\n    servers: [h]\n" + settings + "domains:\n  x.test: {destination: office}\n";
}
std::string domain(const std::string& settings) {
  return "hostname: a.b\ndestinations: {office: {servers: [h]}}\ndomains:\n  x.test:\n" + settings;
}

INSTANTIATE_TEST_SUITE_P(
    Config, Faulty,
    testing::Values(
        Case{"unknown", kMinimal + "listn: [h]\n", "g.yaml:6: unknown setting 'listn' (did you mean 'listen'?)"},
        Case{"unknown_far", kMinimal + "qqqqqqqqqqq: 1\n", "g.yaml:6: unknown setting 'qqqqqqqqqqq'"},
        Case{"unknown_elsewhere", kMinimal + "message_size_limit: 1MiB\n",
             "g.yaml:6: unknown setting 'message_size_limit' (did you mean 'smtpd.message_size_limit'?)"},
        Case{"unknown_here_and_elsewhere", kMinimal + "destination: x\n",
             "g.yaml:6: unknown setting 'destination' (did you mean 'destinations'?)"},
        Case{"unknown_in_group", kMinimal + "smtpd:\n  max_recipient: 200\n",
             "g.yaml:7: unknown setting 'smtpd.max_recipient' (did you mean 'max_recipients'?)"},
        Case{"unknown_in_destination", destination("    retr: week\n"),
             "g.yaml:5: unknown setting 'destinations.office.retr' (did you mean 'retry'?)"},
        Case{"unknown_in_probe", destination("    probe: {intervall: 5s}\n"),
             "g.yaml:5: unknown setting 'destinations.office.probe.intervall' (did you mean 'interval'?)"},
        Case{"unknown_in_domain", domain("    destination: office\n    local_recipient: [a]\n"),
             "g.yaml:6: unknown setting 'domains.x.test.local_recipient' (did you mean 'local_recipients'?)"},
        Case{"no_such_mode", domain("    destination: office\n    mode: relay\n"),
             "g.yaml:6: domains.x.test.mode: must be proxy or queue, not 'relay'"},
        Case{"wrong_type_group", kMinimal + "smtpd: 5\n", "g.yaml:6: smtpd: must be a group of settings, 'name: value'"},
        Case{"wrong_type_list", kMinimal + "listen: 127.0.0.1:25\n",
             "g.yaml:6: listen: must be a list such as [\"0.0.0.0:25\"], not '127.0.0.1:25'"},
        Case{"wrong_type_map", kMinimal + "debug: {a: b}\n",
             "g.yaml:6: debug: must be true or false, not a group of settings"},
        Case{"wrong_number", kMinimal + "smtpd: {workers: many}\n", "g.yaml:6: smtpd.workers: must be a number, not 'many'"},
        Case{"no_value", kMinimal + "smtpd:\n  workers:\n", "g.yaml:7: smtpd.workers: must be a number, not nothing"},
        Case{"out_of_bounds", kMinimal + "smtpd: {max_recipients: 10}\n",
             "g.yaml:6: smtpd.max_recipients: '10' is out of bounds: 100 to 50000"},
        Case{"size_out_of_bounds", kMinimal + "smtpd: {message_size_limit: 1KiB}\n",
             "g.yaml:6: smtpd.message_size_limit: '1KiB' is out of bounds: 64KiB to 2GiB"},
        Case{"bad_size", kMinimal + "smtpd: {message_size_limit: 10MB}\n",
             "g.yaml:6: smtpd.message_size_limit: '10MB' is not a size; write 512KiB, 10MiB, 1GiB or a number of bytes"},
        Case{"bad_duration", destination("    probe: {interval: 5}\n"),
             "g.yaml:5: destinations.office.probe.interval: '5' lacks a unit: s, m, h or d"},
        Case{"duration_out_of_bounds", destination("    probe: {interval: 0}\n"),
             "g.yaml:5: destinations.office.probe.interval: '0' is out of bounds: 1s to 1d"},
        Case{"bad_choice", kMinimal + "smtpd: {bare_newline: normalise}\n",
             "g.yaml:6: smtpd.bare_newline: must be reject or normalize, not 'normalise' (did you mean 'normalize'?)"},
        Case{"bad_bool", kMinimal + "debug: maybe\n", "g.yaml:6: debug: must be true or false, not 'maybe'"},
        Case{"bad_hostname", "hostname: mx_1.example.test\n", "g.yaml:1: hostname: 'mx_1.example.test' has a '_' in it"},
        Case{"bad_delimiter", kMinimal + "recipient_delimiter: ab\n",
             "g.yaml:6: recipient_delimiter: 'ab' must be one of + - = _ # ~ ! % or empty"},
        Case{"bad_pattern", kMinimal + "pass_on_4xx: [5.7.1]\n",
             "g.yaml:6: pass_on_4xx: '5.7.1' must be an enhanced status code such as 4.1.8 or 4.7.*"},
        Case{"listen_on_a_name", kMinimal + "listen: [\"localhost:25\"]\n",
             "g.yaml:6: listen: 'localhost:25' is not an address of this host; write 0.0.0.0:25, 127.0.0.1:2525 or [::]:25"},
        Case{"listen_twice", kMinimal + "listen: [\"127.0.0.1:25\", \"127.0.0.1\"]\n",
             "g.yaml:6: listen: 127.0.0.1:25 is there twice"},
        Case{"bad_server", "hostname: a.b\ndestinations:\n  o:\n    servers:\n      - good:25\n      - bad:port\n",
             "g.yaml:6: destinations.o.servers: 'bad:port': 'port' is not a port (1 to 65535)"},
        Case{"no_servers", "hostname: a.b\ndestinations:\n  o: {servers: []}\n",
             "g.yaml:3: destinations.o.servers: must not be empty"},
        Case{"servers_missing", "hostname: a.b\ndestinations:\n  o: {max_connections: 5}\n",
             "g.yaml:3: destinations.o lacks 'servers'"},
        Case{"server_is_ourselves",
             "hostname: a.b\nlisten: [\"127.0.0.1:2525\"]\ndestinations:\n  o: {servers: [\"127.0.0.1:2525\"]}\n",
             "g.yaml:4: destinations.o.servers: 127.0.0.1:2525 is where we listen ourselves"},
        Case{"server_is_ourselves_by_another_name",
             "hostname: a.b\nlisten: [\"0.0.0.0:2525\"]\ndestinations:\n  o: {servers: [\"127.0.0.1:2525\"]}\n",
             "g.yaml:4: destinations.o.servers: 127.0.0.1:2525 is where we listen ourselves"},
        Case{"lmtp_on_port_25", "hostname: a.b\ndestinations:\n  o: {servers: [\"h:24\", \"i:25\"], protocol: lmtp}\n",
             "g.yaml:3: destinations.o.protocol: i:25: LMTP does not go to port 25"},
        Case{"unknown_protocol", "hostname: a.b\ndestinations:\n  o: {servers: [\"h:24\"], protocol: lntp}\n",
             "g.yaml:3: destinations.o.protocol: must be smtp or lmtp, not 'lntp' (did you mean 'lmtp'?)"},
        Case{"unknown_client", "hostname: a.b\ndestinations:\n  o: {servers: [\"h:24\"], client: forward}\n",
             "g.yaml:3: destinations.o.client: must be none, xclient or proxy, not 'forward'"},
        Case{"bad_destination_name", "hostname: a.b\ndestinations:\n  a/b: {servers: [h]}\n",
             "g.yaml:3: destination 'a/b': the name may hold letters, digits, '-', '_' and '.' only"},
        Case{"missing_destination", domain("    destination: ofice\n"),
             "g.yaml:5: domains.x.test.destination: there is no destination 'ofice' (did you mean 'office'?)"},
        Case{"no_destination", domain("    local_recipients: [a]\n"), "g.yaml:4: domains.x.test lacks 'destination'"},
        Case{"bad_domain", "hostname: a.b\ndestinations: {o: {servers: [h]}}\ndomains:\n  x_y.test: {destination: o}\n",
             "g.yaml:4: domain 'x_y.test': the name has a '_' in it"},
        Case{"duplicate_domain", "hostname: a.b\ndestinations: {o: {servers: [h]}}\ndomains:\n  x.test: {destination: o}\n"
                                 "  X.test: {destination: o}\n",
             "g.yaml:5: duplicate domain 'X.test': it is described in g.yaml:4 already"},
        Case{"duplicate_key", kMinimal + "debug: true\ndebug: false\n", "g.yaml:7: 'debug' was given before, in line 6"},
        Case{"duplicate_domain_key", "hostname: a.b\ndestinations: {o: {servers: [h]}}\ndomains:\n"
                                     "  x.test: {destination: o}\n  x.test: {destination: o}\n",
             "g.yaml:5: 'x.test' was given before, in line 4"},
        Case{"bad_recipient", domain("    destination: office\n    local_recipients:\n      - good\n      - a b\n"),
             "g.yaml:8: domains.x.test.local_recipients: 'a b' is not an address: it has a ' ' in it"},
        Case{"foreign_recipient", domain("    destination: office\n    local_recipients: [a@y.test]\n"),
             "g.yaml:6: domains.x.test.local_recipients: 'a@y.test' is not in x.test"},
        Case{"recipient_with_extension", domain("    destination: office\n    local_recipients: [a+b]\n") +
                                             "recipient_delimiter: \"+\"\n",
             "g.yaml:6: domains.x.test.local_recipients: 'a+b' has an extension; with recipient_delimiter \"+\" write "
             "a@x.test"},
        Case{"recipient_file_missing", domain("    destination: office\n    local_recipients: /nowhere/at/all\n"),
             "g.yaml:6: domains.x.test.local_recipients: /nowhere/at/all: No such file or directory"},
        Case{"unknown_schedule", destination("    retry: weekly\n"),
             "g.yaml:5: destinations.office.retry: knows no schedule 'weekly' (did you mean 'week'?)"},
        Case{"phase_shape", destination("    retry: [{until: 2h}]\n"),
             "g.yaml:5: destinations.office.retry: a phase is {until: 2h, every: 15m} or {until: 16h, start: 15m, factor: 1.5}"},
        Case{"phase_key", destination("    retry: [{until: 2h, evry: 15m}]\n"),
             "g.yaml:5: destinations.office.retry: unknown 'evry' in a phase (did you mean 'every'?)"},
        Case{"phase_order", destination("    retry:\n      - {until: 2h, every: 15m}\n      - {until: 1h, every: 30m}\n"),
             "g.yaml:7: destinations.office.retry: each phase must end after the one before it"},
        Case{"phase_factor", destination("    retry: [{until: 2h, start: 5m, factor: 0.5}]\n"),
             "g.yaml:5: destinations.office.retry: '0.5' is not a factor: 1 to 10, such as 1.5"},
        Case{"destination_called_bounces", "hostname: a.b\ndestinations:\n  bounces: {servers: [h]}\n",
             "g.yaml:3: destination 'bounces': the name is our own for the road of bounces"},
        Case{"jitter_out_of_bounds", destination("    retry_jitter: 51\n"),
             "g.yaml:5: destinations.office.retry_jitter: '51' is out of bounds: 0 to 50"},
        Case{"reserve_percentage", kMinimal + "spool: {reserve: 95%}\n",
             "g.yaml:6: spool.reserve: '95%' is not a percentage from 0% to 90%"},
        Case{"reserve_order", kMinimal + "spool: {reserve: 1GiB or 10%}\n",
             "g.yaml:6: spool.reserve: '1GiB or 10%': write the percentage first, as in 10% or 1GiB"},
        Case{"reserve_shape", kMinimal + "spool: {reserve: much}\n",
             "g.yaml:6: spool.reserve: 'much' is neither a percentage nor a size; write 10%, 2GiB or 10% or 1GiB"},
        Case{"suppress", kMinimal + "bounces: {suppress: [unfilterd]}\n",
             "g.yaml:6: bounces.suppress: knows no 'unfilterd' (did you mean 'unfiltered'?)"},
        Case{"bounce_retry", kMinimal + "bounces: {retry: always}\n",
             "g.yaml:6: bounces.retry: must be none or schedule, not 'always'"},
        Case{"relay_is_ourselves", kMinimal + "listen: [\"127.0.0.1:2525\"]\nbounces: {relay: \"127.0.0.1:2525\"}\n",
             "g.yaml:7: bounces.relay: 127.0.0.1:2525 is where we listen ourselves"},
        Case{"resolver_by_name", kMinimal + "dns: {resolvers: [ns.example.test]}\n",
             "g.yaml:6: dns.resolvers: 'ns.example.test' is not an address of a name server; write 127.0.0.1:53 or [::1]:53"},
        Case{"delay_warning", kMinimal + "delay_warning: never\n",
             "g.yaml:6: delay_warning: 'never' is not a duration; write 90s, 15m, 4h or 4d"},
        Case{"not_yaml", "hostname: a.b\n\tlisten: x\n", "g.yaml:2: not YAML: illegal tab when looking for indentation"},
        Case{"not_settings", "- a\n- b\n", "g.yaml:1: must be settings, 'name: value'"},
        Case{"alias", "hostname: &h a.b\nlisten: *h\n",
             "g.yaml:1: anchors (&name) are not supported; write the value out\n"
             "g.yaml:2: aliases (*name) are not supported; write the value out\n"
             "g.yaml:2: listen: must be a list such as [\"0.0.0.0:25\"], not nothing"},
        Case{"two_documents", kMinimal + "---\nhostname: c.d\n", "g.yaml: holds more than one YAML document"},
        Case{"hostile_text", "hostname: a.b\n\"\\e[31mred\": 1\n", "g.yaml:2: unknown setting '\\x1B[31mred'"}),
    [](const auto& test) { return test.param.name; });

TEST(Faults, AreAllFoundAtOnce) {
  EXPECT_EQ(faults_of("hostname: a..b\nlisten: [\"x\"]\nsmtpd: {workers: -1}\nfoo_bar_baz: 1\n"
                      "domains:\n  x.test: {destination: gone}\n"),
            "g.yaml:1: hostname: 'a..b' has an empty part between dots\n"
            "g.yaml:2: listen: 'x' is not an address of this host; write 0.0.0.0:25, 127.0.0.1:2525 or [::]:25\n"
            "g.yaml:3: smtpd.workers: must be a number, not '-1'\n"
            "g.yaml:4: unknown setting 'foo_bar_baz'\n"
            "g.yaml:6: domains.x.test.destination: there is no destination 'gone'");
}

TEST(Faults, SettingsOfLaterIssuesAreUnknown) {
  for (const char* name : {"tls", "alerts", "web", "bounces", "spool", "while_down"}) {
    EXPECT_NE(faults_of(kMinimal + name + ": {a: b}\n").find("unknown setting '" + std::string(name)), std::string::npos) << name;
  }
}

TEST(Faults, DeepNestingIsAFaultAndNoCrash) {
  EXPECT_NE(faults_of("hostname: " + std::string(500, '[') + std::string(500, ']') + "\n"), "");
}

TEST(Faults, AreBounded) {
  std::string text = kMinimal;
  for (int i = 0; i < 250; ++i) text += "unknown_thing_" + std::to_string(i) + ": 1\n";
  const std::string faults = faults_of(text);
  EXPECT_EQ(std::ranges::count(faults, '\n'), 100);
  EXPECT_TRUE(faults.ends_with("\nand 150 more")) << faults.substr(faults.size() - 40);
}

// Whatever an editor's slip leaves behind: an answer, and no crash.
TEST(Faults, AnyTextGetsAnAnswer) {
  std::string seed = kMinimal;
  seed += "listen: [\"127.0.0.1:25\"]\nsmtpd: {workers: 2}\npass_on_4xx: [4.7.1]\npaths: {base: /x}\n";
  const std::string bytes = "{}[]:-#&*!|>'\"%@`,?\n\t \\0az\x80\xff";
  std::minstd_rand random(4711);
  for (int round = 0; round < 1000; ++round) {
    std::string text = seed;
    for (unsigned i = 0; i < 1 + random() % 4; ++i) {
      const std::size_t at = random() % text.size();
      const char c = bytes[random() % bytes.size()];
      switch (random() % 3) {
        case 0: text[at] = c; break;
        case 1: text.insert(at, 1, c); break;
        default: text.erase(at, random() % 5);
      }
    }
    const auto config = load_text(text, "g.yaml");
    if (!config) {
      EXPECT_NE(config.error().text, "") << text;
    }
  }
}

TEST(Faults, ARunFolderMustFitASocket) {
  const std::string path = "/" + std::string(90, 'x');
  EXPECT_EQ(faults_of(kMinimal + "paths: {run: " + path + "}\n"),
            "g.yaml:6: paths.run: the run folder '" + path + "' is too long for sockets: 90 characters at most");
}

}  // namespace
}  // namespace holdfast::config
