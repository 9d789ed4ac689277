#include "common/config/show.h"

#include <set>

#include <gtest/gtest.h>

#include "tests/unit/config/texts.h"

namespace holdfast::config {
namespace {

const std::string kRich = R"(
hostname: mx.example.test
listen: ["127.0.0.1:2525", "[::1]:2525"]
paths: {base: /srv/holdfast, log: /var/log/here}
smtpd: {workers: 3, bare_newline: normalize, message_size_limit: 10MiB}
recipient_cache: {keep: 36h, count_downtime: false}
recipient_delimiter: "+"
pass_on_4xx: ["4.7.*"]
debug: true
spool: {reserve: 20%}
queue: {max_messages: 1000, max_bytes: 10GiB}
delay_warning: 4h
bounces: {relay: "10.0.0.9:26", retry: schedule, suppress: [spam], full_limit: 1MiB}
frozen: {keep: off}
dns: {resolvers: ["127.0.0.1:5300", "[::1]"]}
destinations:
  office:
    servers: ["10.0.0.5:25", "[2001:db8::1]:26", "mail.example.test:2525"]
    probe: {interval: 90s, up_after: 2}
    retry: [{until: 2h, every: 15m}, {until: 16h, start: 15m, factor: 1.5}]
  other: {servers: [h], retry: short, max_connections: 7}
domains:
  example.test: {destination: office, max_messages: 9, local_recipients: [sales, "o'neil"]}
  x.test: {destination: other, local_recipients: ["*"]}
)";

TEST(Show, RoundTripsInEveryStyle) {
  const Config first = good(kRich);
  for (const Style style : {Style::kAll, Style::kChanged, Style::kSelfContained}) {
    const Config second = good(show(first, style));
    EXPECT_TRUE(difference(first, second).empty()) << difference(first, second).front().name << "\n" << show(first, style);
    EXPECT_EQ(second.destinations.at("office").schedule, first.destinations.at("office").schedule);
    EXPECT_EQ(second.destinations.at("other").schedule, first.destinations.at("other").schedule);
    EXPECT_EQ(second.domains.at("x.test").local_recipients, first.domains.at("x.test").local_recipients);
    EXPECT_EQ(second.paths.run, "/srv/holdfast/run");
    EXPECT_EQ(second.reserve, (SpoolReserve{.percent = 20, .bytes = 0}));
    EXPECT_EQ(second.quota.bytes, 10ULL << 30);
    EXPECT_EQ(second.frozen_keep, Seconds{0});
    EXPECT_TRUE(second.bounces.scheduled && second.bounces.suppress_spam && !second.bounces.suppress_unfiltered);
    EXPECT_EQ(second.bounce_road.servers, (std::vector<HostPort>{{"10.0.0.9", 26}}));
    EXPECT_FALSE(second.bounce_road.mx);
    EXPECT_EQ(second.resolvers, (std::vector<HostPort>{{"127.0.0.1", 5300}, {"::1", 53}}));
    EXPECT_EQ(second.destinations.at("other").jitter, 25);
  }
}

TEST(Show, WhatAPresetBringsAlongIsADefault) {
  const auto text = [](const char* office) {
    return std::string("hostname: mx.example.test\nlisten: [\"127.0.0.1:2525\"]\ndestinations:\n  office: {servers: [h], ") +
           office + "}\ndomains:\n  example.test: {destination: office}\n";
  };
  const Config quiet = good(text("retry: short")), loud = good(text("retry: short, retry_jitter: 5"));
  EXPECT_EQ(quiet.destinations.at("office").jitter, 25);
  EXPECT_EQ(show(quiet, Style::kChanged).find("retry_jitter"), std::string::npos) << show(quiet, Style::kChanged);
  EXPECT_NE(show(loud, Style::kChanged).find("retry_jitter: 5"), std::string::npos);
  EXPECT_EQ(good(show(loud, Style::kChanged)).destinations.at("office").jitter, 5);
  for (const auto& shown : list(quiet)) {
    EXPECT_TRUE(shown.name != "destinations.office.retry_jitter" || shown.is_default);
  }
}

TEST(Show, OnlyWhatDiffersIsBrief) {
  EXPECT_EQ(show(good(kMinimal), Style::kChanged),
            "hostname: mx.example.test\n"
            "destinations:\n"
            "  office:\n"
            "    servers: [\"10.0.0.5:25\"]\n"
            "domains:\n"
            "  example.test:\n"
            "    destination: office\n");
}

TEST(Show, AGroupIsOpenedOnce) {
  const std::string text = show(good(kMinimal));
  EXPECT_EQ(text.find("smtpd:\n"), text.rfind("smtpd:\n"));
  EXPECT_NE(text.find("    probe:\n      interval: 2m\n      down_after: 3\n"), std::string::npos) << text;
}

TEST(Difference, NamesWhatChangedAndWhetherItNeedsARestart) {
  const auto changes = difference(good(kMinimal), good(kMinimal + "smtpd: {workers: 2, max_clients: 7}\n"));
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].name, "smtpd.max_clients");
  EXPECT_EQ(changes[0].before, "5000");
  EXPECT_EQ(changes[0].after, "7");
  EXPECT_EQ(changes[0].reload, Reload::kLive);
  EXPECT_EQ(changes[1].name, "smtpd.workers");
  EXPECT_EQ(changes[1].reload, Reload::kRestart);
}

TEST(Difference, SeesWhatCameAndWent) {
  const auto changes = difference(good(kMinimal), good("hostname: mx.example.test\n"));
  ASSERT_FALSE(changes.empty());
  for (const auto& change : changes) {
    EXPECT_TRUE(change.after.empty());
    EXPECT_TRUE(change.name.starts_with("destinations.office.") || change.name.starts_with("domains.example.test.")) << change.name;
  }
}

TEST(Difference, OfEqualsIsNothing) { EXPECT_TRUE(difference(good(kRich), good(kRich)).empty()); }

TEST(List, TellsDefaultsApart) {
  const std::set<std::string> given{"paths.base", "hostname", "destinations.office.servers",
                                    "domains.example.test.destination"};
  for (const auto& setting : list(good(kMinimal + "paths: {base: /srv/h}\n"))) {
    EXPECT_EQ(setting.is_default, !given.contains(setting.name)) << setting.name;
  }
}

}  // namespace
}  // namespace holdfast::config
