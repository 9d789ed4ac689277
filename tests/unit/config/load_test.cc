#include "common/config/load.h"

#include <gtest/gtest.h>

#include "tests/unit/config/texts.h"

namespace holdfast::config {
namespace {

TEST(Load, FillsInDefaults) {
  const Config c = good(kMinimal);
  EXPECT_EQ(c.file, "g.yaml");
  EXPECT_EQ(c.listen, (std::vector<HostPort>{{"0.0.0.0", 25}}));
  EXPECT_EQ(c.paths.spool, "/var/spool/holdfast");
  EXPECT_EQ(c.paths.run, "/run/holdfast");
  const Destination& office = c.destinations.at("office");
  EXPECT_EQ(office.name, "office");
  EXPECT_EQ(office.probe.interval, Seconds{120});
  EXPECT_EQ(office.retry, "default");
  EXPECT_EQ(office.schedule.size(), 3U);
  EXPECT_TRUE(c.warnings.empty());
}

TEST(Load, TakesTheExampleOfTheDesign) {
  const Config c = good(R"(
hostname: mx.example.test
listen: ["127.0.0.1:2525"]
paths: {base: /srv/holdfast}
destinations:
  office:
    servers: ["10.0.0.5:25", "10.0.0.6:25"]
    probe: {interval: 120s, down_after: 3, up_after: 1}
    retry: default
    max_connections: 20
domains:
  example.test:
    destination: office
    mode: proxy
    local_recipients: [postmaster, sales@example.test]
recipient_cache: {keep: 4d}
)");
  EXPECT_EQ(c.paths.spool, "/srv/holdfast/spool");
  EXPECT_EQ(c.paths.log, "/srv/holdfast/log");
  EXPECT_EQ(c.destinations.at("office").servers.size(), 2U);
  EXPECT_EQ(c.recipient_cache.keep, Seconds{345600});
}

TEST(Load, TakesEveryGeneralSetting) {
  const Config c = good(kMinimal + R"(
smtpd: {workers: 3, max_clients: 10, message_size_limit: 10MiB, max_recipients: 200, command_timeout: 1m,
        data_timeout: 2m, bare_newline: normalize}
deliver: {workers: 4}
recipient_cache: {keep: 1d, count_downtime: false, max_per_domain: 500}
recipient_delimiter: "+"
pass_on_4xx: [4.7.1]
debug: yes
)");
  EXPECT_EQ(c.smtpd.workers, 3);
  EXPECT_EQ(c.smtpd.max_clients, 10);
  EXPECT_EQ(c.smtpd.message_size_limit, 10ULL << 20);
  EXPECT_EQ(c.smtpd.max_recipients, 200);
  EXPECT_EQ(c.smtpd.command_timeout, Seconds{60});
  EXPECT_EQ(c.smtpd.data_timeout, Seconds{120});
  EXPECT_TRUE(c.smtpd.bare_newline_normalize);
  EXPECT_EQ(c.deliver_workers, 4);
  EXPECT_FALSE(c.recipient_cache.count_downtime);
  EXPECT_EQ(c.recipient_cache.max_per_domain, 500U);
  EXPECT_EQ(c.recipient_delimiter, "+");
  EXPECT_EQ(c.pass_on_4xx, (std::vector<std::string>{"4.7.1"}));
  EXPECT_TRUE(c.debug);
}

TEST(Load, APathCountsFromItsFile) {
  const auto c = load_text(kMinimal + "paths: {base: ../build/demo, log: /elsewhere}\n", "/x/etc/g.yaml");
  ASSERT_TRUE(c) << c.error().text;
  EXPECT_EQ(c->paths.base, "/x/build/demo");
  EXPECT_EQ(c->paths.run, "/x/build/demo/run");
  EXPECT_EQ(c->paths.log, "/elsewhere");
}

TEST(Load, EmptyGroupsAreAllowed) {
  const Config c = good("hostname: mx.example.test\nsmtpd:\ndestinations:\ndomains:\n");
  EXPECT_EQ(c.warnings, (std::vector<std::string>{"g.yaml: no domains: all mail will be refused"}));
}

TEST(Load, WarnsOfWhatIsHardlyMeant) {
  const Config c = good("hostname: gate\ndestinations:\n  a: {servers: [h]}\n  b: {servers: [h]}\n"
                        "domains:\n  x.test: {destination: a}\n");
  EXPECT_EQ(c.warnings, (std::vector<std::string>{
                            "g.yaml:1: hostname: 'gate' has no domain; many servers refuse such a name",
                            "g.yaml:4: destination 'b' is used by no domain"}));
}

}  // namespace
}  // namespace holdfast::config
