#include "common/config/filters.h"

#include <gtest/gtest.h>

#include "common/config/show.h"
#include "tests/unit/config/texts.h"

namespace holdfast::config {
namespace {

std::string with(const std::string& filters) { return kMinimal + "filters: [" + filters + "]\n"; }

TEST(Filters, AreReadInTheirOrderAndShown) {
  const Config c = good(with("{name: b, milter: \"inet:127.0.0.1:11332\", on_failure: accept, timeouts: {connect: 1s, command: 2m, content: 1h}, "
                             "domains: [Example.TEST], listeners: [\"0.0.0.0:25\"]}, {name: a, milter: \"unix:/run/a\"}") +
                        "while_down: {filtering: run}\n");
  ASSERT_EQ(c.filters.size(), 2U);
  EXPECT_EQ(c.filters[0].name, "b");
  EXPECT_EQ(c.filters[0].on_failure, "accept");
  EXPECT_EQ(c.filters[0].connect.count(), 1);
  EXPECT_EQ(c.filters[0].command.count(), 120);
  EXPECT_EQ(c.filters[0].content.count(), 3600);
  EXPECT_TRUE(c.filters[0].asks_after("example.test"));
  EXPECT_FALSE(c.filters[0].asks_after("other.test"));
  EXPECT_EQ(c.filters[0].listeners, std::vector<std::string>{"0.0.0.0:25"});
  EXPECT_EQ(c.filters[1].on_failure, "tempfail");
  EXPECT_TRUE(c.filters[1].asks_after("other.test"));
  EXPECT_EQ(c.filtering, "run");
  for (const auto style : {Style::kAll, Style::kChanged, Style::kSelfContained}) {
    const Config again = good(show(c, style));
    EXPECT_EQ(again.filters, c.filters) << show(c, style);
    EXPECT_TRUE(difference(c, again).empty());
  }
  EXPECT_EQ(good(kMinimal).filtering, "bypass");
}

TEST(Filters, FaultsAreTold) {
  const auto told = [](const std::string& filters, const std::string& words) {
    const auto faults = faults_of(with(filters));
    EXPECT_NE(faults.find(words), std::string::npos) << faults;
  };
  told("{milter: \"inet:127.0.0.1:1\"}", "a filter needs a name");
  told("{name: a}", "filter 'a' lacks 'milter'");
  told("{name: a, milter: \"inet:filter.test:1\"}", "must be inet:ADDRESS:PORT");
  told("{name: a, milter: \"inet:127.0.0.1\"}", "must be inet:ADDRESS:PORT");
  told("{name: a, milter: \"unix:run/a\"}", "must be inet:ADDRESS:PORT");
  told("{name: a, milter: holdfast}", "needs content_filter.enabled: true");
  told("{name: a, milter: \"unix:/a\", on_failure: acept}", "did you mean 'accept'?");
  told("{name: a, milter: \"unix:/a\", timeouts: {conect: 1s}}", "did you mean 'connect'?");
  told("{name: a, milter: \"unix:/a\", timeouts: {connect: 0s}}", "'connect' must be 1s to 1h");
  told("{name: a, milter: \"unix:/a\", domains: [nobody.test]}", "there is no domain 'nobody.test'");
  told("{name: a, milter: \"unix:/a\", listeners: [\"127.0.0.1:9\"]}", "'127.0.0.1:9' is not in `listen`");
  told("{name: a, milter: \"unix:/a\"}, {name: a, milter: \"unix:/b\"}", "two with the name 'a'");
  told("{name: a, miltre: \"unix:/a\"}", "did you mean 'milter'?");
  EXPECT_EQ(faults_of(with("{name: a, milter: \"inet:[::1]:5\"}, {name: b, milter: \"inet:localhost:6\"}")), "");
}

TEST(Filters, AddressesAreNumeric) {
  Paths paths;
  paths.run = "/run/holdfast";
  EXPECT_EQ(filter_address("holdfast", paths)->path, "/run/holdfast/filter/socket");
  EXPECT_EQ(filter_address("unix:/a", paths)->path, "/a");
  EXPECT_EQ(filter_address("inet:[::1]:5", paths)->host, "::1");
  EXPECT_EQ(filter_address("inet:localhost:6", paths)->host, "127.0.0.1");
  EXPECT_EQ(filter_address("inet:localhost:6", paths)->port, 6);
  EXPECT_FALSE(filter_address("inet:6@localhost", paths));
  EXPECT_FALSE(filter_address("tcp:1.2.3.4:5", paths));
}

}  // namespace
}  // namespace holdfast::config
