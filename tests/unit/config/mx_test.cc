#include "common/config/mx.h"

#include <gtest/gtest.h>

#include "common/config/show.h"
#include "tests/unit/config/texts.h"

namespace holdfast::config {
namespace {

const std::string kBackup = R"(
hostname: mx2.example.test
listen: ["127.0.0.1:2525"]
destinations:
  backup: {mx: true, mx_port: 2526, retry: week, max_connections: 7}
  office: {servers: ["10.0.0.5:25"]}
domains:
  one.test: {destination: backup, local_recipients: [sales]}
  two.test: {destination: backup, local_recipients: [sales]}
  own.test: {destination: office}
)";

TEST(Mx, EachDomainGetsADestinationOfItsOwn) {
  const Config config = good(kBackup);
  EXPECT_EQ(config.destinations.size(), 3U);
  EXPECT_EQ(config.domains.at("two.test").destination, "backup/two.test");
  EXPECT_EQ(config.domains.at("own.test").destination, "office");
  const Destination* two = config.find_destination("backup/two.test");
  ASSERT_NE(two, nullptr);
  EXPECT_EQ(two->name, "backup/two.test");
  EXPECT_EQ(two->mx_domain, "two.test");
  EXPECT_TRUE(two->mx && two->servers.empty());
  EXPECT_EQ(two->mx_port, 2526);
  EXPECT_EQ(two->max_connections, 7);
  EXPECT_EQ(two->retry, "week");
  EXPECT_EQ(config.find_destination("backup"), nullptr);
  EXPECT_TRUE(config.warnings.empty()) << config.warnings.front();
}

TEST(Mx, IsShownAsItWasWritten) {
  const Config first = good(kBackup);
  for (const Style style : {Style::kAll, Style::kChanged, Style::kSelfContained}) {
    const std::string text = show(first, style);
    EXPECT_EQ(text.find("backup/"), text.npos) << text;
    EXPECT_EQ(text.find("servers: []"), text.npos) << text;
    const Config second = good(text);
    EXPECT_TRUE(difference(first, second).empty()) << difference(first, second).front().name << "\n" << text;
    EXPECT_EQ(second.find_destination("backup/one.test")->mx_port, 2526);
  }
}

TEST(Mx, AChangeIsToldOnceByItsWrittenName) {
  std::string changed = kBackup;
  changed.replace(changed.find("2526"), 4, "2527");
  const auto changes = difference(good(kBackup), good(changed));
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].name, "destinations.backup.mx_port");
}

TEST(Mx, ADestinationThatNobodyUsesIsNone) {
  const Config config = good("hostname: a.test\ndestinations:\n  backup: {mx: true}\ndomains: {}\n");
  EXPECT_TRUE(config.destinations.empty());
  EXPECT_NE(config.warnings.at(0).find("'backup' is used by no domain"), std::string::npos);
}

TEST(Mx, ABackupThatKnowsNobodyIsWarnedOf) {
  std::string text = kBackup;
  text.replace(text.find(", local_recipients: [sales]"), 27, "");
  const Config config = good(text);
  ASSERT_EQ(config.warnings.size(), 1U);
  EXPECT_NE(config.warnings[0].find("domains.one.test: a backup MX sees few recipients"), std::string::npos);
}

TEST(Mx, WhatExcludesEachOther) {
  const auto refused = [](const std::string& settings) {
    return faults_of("hostname: a.test\ndestinations:\n  d: {" + settings + "}\ndomains: {x.test: {destination: d}}\n");
  };
  EXPECT_NE(refused("mx: true, servers: [h]").find("destinations.d.mx: servers found by MX and destinations.d.servers exclude"),
            std::string::npos);
  EXPECT_NE(refused("mx: false").find("destinations.d lacks 'servers'"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::config
