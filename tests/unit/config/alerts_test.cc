#include "common/config/alerts.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/config/alert_kinds.h"
#include "common/config/show.h"
#include "common/config/values.h"
#include "tests/unit/config/texts.h"

namespace holdfast::config {
namespace {

std::string with(const std::string& alerts) { return kMinimal + "alerts: {" + alerts + "}\n"; }
const std::string kMail = "mail: {to: [admin@elsewhere.test], relays: [\"smtp.elsewhere.test\"]}";

TEST(Alerts, AreReadAndShown) {
  const Config c = good(with(
      "mail: {to: [a@b.test, c@d.test], from: gw@b.test, relays: [\"one.test\", \"two.test:465\"], auth: {user: u, password_file: /p}, "
      "tls: {ca_file: /ca}}, webhooks: [{url: \"https://x.test/a?b=c#d\", format: slack, headers: [\"X-A: b\"], token_file: /t}, "
      "{url: \"http://y.test\", format: template, template: \"{\\\"a\\\": {{text_json}}}\\n\"}], command: [/bin/page, \"a b\"], "
      "command_limit: 5s, repeat: 1h, ignore: [held, frozen], queue_messages: 5, queue_age: 2h, certificate: 3d"));
  const Alerts& a = c.alerts;
  EXPECT_EQ(a.to, (std::vector<std::string>{"a@b.test", "c@d.test"}));
  EXPECT_EQ(a.relays, (std::vector<HostPort>{{"one.test", 587}, {"two.test", 465}}));
  EXPECT_EQ(a.auth, (Auth{"u", "/p", false}));
  EXPECT_EQ(a.tls, "verify");
  ASSERT_EQ(a.webhooks.size(), 2U);
  EXPECT_EQ(a.webhooks[0].headers, std::vector<std::string>{"X-A: b"});
  EXPECT_EQ(a.webhooks[1].body, "{\"a\": {{text_json}}}\n");
  EXPECT_EQ(a.command, (std::vector<std::string>{"/bin/page", "a b"}));
  EXPECT_EQ(a.repeat, Seconds{3600});
  EXPECT_EQ(a.ignore, (std::vector<std::string>{"held", "frozen"}));
  for (const auto style : {Style::kAll, Style::kChanged, Style::kSelfContained}) {
    const Config again = good(show(c, style));
    EXPECT_EQ(again.alerts.webhooks, a.webhooks) << show(c, style);
    EXPECT_EQ(again.alerts.relays, a.relays);
    EXPECT_TRUE(difference(c, again).empty());
  }
}

TEST(Alerts, ARelayIsNoServerOfOurs) {
  const auto relays = [](const std::string& relay) { return faults_of(with("mail: {to: [a@b.test], relays: [\"" + relay + "\"]}")); };
  EXPECT_EQ(relays("smtp.elsewhere.test"), "");
  EXPECT_NE(relays("10.0.0.5:587").find("alerts.mail.relays: 10.0.0.5:587 is a server of destination 'office'"), std::string::npos)
      << "another port of the same machine is down with it";
  EXPECT_NE(relays("mx.example.test").find("is this gateway itself"), std::string::npos);
  EXPECT_NE(relays("127.0.0.1:25").find("is this gateway itself"), std::string::npos);
  EXPECT_EQ(relays("127.0.0.1:2500"), "") << "on this host several servers may stand side by side";
}

TEST(Alerts, HalvesAreFaults) {
  EXPECT_NE(faults_of(with("mail: {to: [a@b.test]}")).find("alerts.mail.to: needs alerts.mail.relays too"), std::string::npos);
  EXPECT_NE(faults_of(with("mail: {relays: [x.test]}")).find("alerts.mail.relays: needs alerts.mail.to too"), std::string::npos);
  const std::string head = "mail: {to: [a@b.test], relays: [x.test], ";
  EXPECT_NE(faults_of(with(head + "auth: {user: u}}")).find("needs alerts.mail.auth.password_file too"), std::string::npos);
  EXPECT_NE(faults_of(with(head + "auth: {user: u, password_file: /p}, tls: {policy: may}}")).find("could go in the clear"), std::string::npos);
  EXPECT_NE(faults_of(with(head + "tls: {policy: encrypt, ca_file: /c}}")).find("needs alerts.mail.tls.policy: verify"), std::string::npos);
}

TEST(Alerts, WebhooksAreChecked) {
  const auto hook = [](const std::string& text) { return faults_of(with("webhooks: [{" + text + "}]")); };
  EXPECT_EQ(hook("url: \"https://x.test/\""), "");
  EXPECT_NE(hook("format: json").find("a webhook needs a url"), std::string::npos);
  EXPECT_NE(hook("url: \"ftp://x.test\"").find("is no http:// or https:// URL"), std::string::npos);
  const auto with_login = hook("url: \"https://user:hunter2@x.test/\"");
  EXPECT_NE(with_login.find("'x.test/' holds a password"), std::string::npos);
  EXPECT_EQ(with_login.find("hunter2"), std::string::npos) << "faults are logged";
  EXPECT_NE(hook("url: \"https://x.test/\", formt: json").find("did you mean 'format'?"), std::string::npos);
  EXPECT_NE(hook("url: \"https://x.test/\", format: slak").find("did you mean 'slack'?"), std::string::npos);
  EXPECT_NE(hook("url: \"https://x.test/\", format: template").find("need each other"), std::string::npos);
  EXPECT_NE(hook("url: \"https://x.test/\", headers: [\"no colon\"]").find("a header is written"), std::string::npos);
  EXPECT_NE(hook("url: \"https://x.test/\", headers: [\"X: a\\r\\nY: b\"]").find("a header is written"), std::string::npos);
  EXPECT_NE(faults_of(with("webhooks: [https]")).find("each must be a map"), std::string::npos);
}

TEST(Alerts, AddressesKindsAndCommandsAreChecked) {
  EXPECT_NE(faults_of(with("mail: {to: [admin], relays: [x.test]}")).find("'admin' has no @"), std::string::npos);
  EXPECT_NE(faults_of(with("ignore: [destination_dwn]")).find("did you mean 'destination_down'?"), std::string::npos);
  EXPECT_NE(faults_of(with("command: [page]")).find("'page' must be an absolute path"), std::string::npos);
}

TEST(Alerts, AnAddressOfOurOwnIsWarnedOf) {
  const Config c = good(with("mail: {to: [admin@example.test], relays: [smtp.elsewhere.test]}"));
  ASSERT_EQ(c.warnings.size(), 1U);
  EXPECT_NE(c.warnings[0].find("admin@example.test is in a domain of ours"), std::string::npos);
}

TEST(Alerts, FilesAreTriedAndNobodyToldIsWarnedOf) {
  const std::string folder = (std::filesystem::temp_directory_path() / ("hf-alerts-config-" + std::to_string(::getpid()))).string();
  std::filesystem::create_directory(folder);
  const auto check = [&](const std::string& text) {
    std::ofstream(folder + "/g.yaml") << text;
    return load(folder + "/g.yaml", Files::kCheck);
  };
  const auto none = check(kMinimal);
  ASSERT_TRUE(none) << none.error().text;
  ASSERT_EQ(none->warnings.size(), 1U);
  EXPECT_NE(none->warnings[0].find("nobody is told"), std::string::npos);
  EXPECT_TRUE(check(with(kMail))->warnings.empty());
  EXPECT_NE(check(with("command: [/nowhere/page]")).error().text.find("alerts.command: /nowhere/page: "), std::string::npos);
  EXPECT_NE(check(with("webhooks: [{url: \"https://x.test\", token_file: none}]")).error().text.find("alerts.webhooks: "), std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST(Alerts, AReportNeedsSomebodyARelayAndTheWeb) {
  const std::string relay = "mail: {relays: [\"r.test\"]}, ";
  EXPECT_NE(faults_of(with("report: {every: hourly}")).find("daily"), std::string::npos);
  EXPECT_NE(faults_of(with("report: {every: daily}")).find("alerts.report.every: needs alerts.report.to or alerts.mail.to too"), std::string::npos);
  EXPECT_NE(faults_of(with("report: {to: [a@b.test]}")).find("alerts.report.to: needs alerts.mail.relays too"), std::string::npos);
  EXPECT_EQ(faults_of(with(relay + "report: {every: daily, at: 6h30m, to: [a@b.test]}")), "");
  EXPECT_NE(faults_of(with(relay + "report: {every: daily, at: 24h, to: [a@b.test]}")).find("alerts.report.at"), std::string::npos);
  EXPECT_NE(faults_of("web: {listen: off}\n" + with(relay + "report: {every: weekly, to: [a@b.test]}")).find("needs web.listen"), std::string::npos);
}

TEST(AlertKinds, AreSound) {
  for (const auto& kind : alert_kinds()) {
    EXPECT_EQ(find_alert_kind(kind.name), &kind) << "each name once";
    EXPECT_EQ(kind.lasting, !kind.all_clear.empty()) << kind.name;
    EXPECT_TRUE(kind.raised.ends_with('.') && kind.cause.ends_with('.')) << kind.name;
    EXPECT_FALSE(kind.advice.empty()) << kind.name;
  }
  EXPECT_EQ(find_alert_kind("none"), nullptr);
  EXPECT_EQ(about("{} and {}", "x"), "x and x");
}

TEST(Values, SubmissionHasItsPort) {
  EXPECT_EQ(parse_submission("a.test")->port, 587);
  EXPECT_EQ(parse_submission("a.test:465")->port, 465);
  EXPECT_FALSE(parse_submission("a b"));
}

}  // namespace
}  // namespace holdfast::config
