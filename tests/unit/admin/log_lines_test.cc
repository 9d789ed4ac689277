#include "common/admin/log_lines.h"

#include <ctime>

#include <gtest/gtest.h>

namespace holdfast::admin {
namespace {

constexpr std::string_view kHead = "Nov 22 10:00:00 mx holdfast/qmgr[80]: ";

LogLine line(const std::string& text) {
  static std::string whole;
  whole = std::string(kHead) + text;
  return *LogLine::parse(whole);
}

TEST(LogLine, IsTakenApart) {
  const auto a = line("3F2A91C07B4D: from=<a@s.test>, size=5, nrcpt=1 (queue active)");
  EXPECT_EQ(a.date, "Nov 22 10:00:00");
  EXPECT_EQ(a.host, "mx");
  EXPECT_EQ(a.daemon, "qmgr");
  EXPECT_EQ(a.pid, "80");
  EXPECT_EQ(a.id, "3F2A91C07B4D");
  EXPECT_EQ(a.text, "from=<a@s.test>, size=5, nrcpt=1 (queue active)");
  const auto b = line("NOQUEUE: reject: RCPT from h[1.2.3.4]: 550 5.1.1 <x@d.test>: no; from=<> to=<x@d.test>");
  EXPECT_EQ(b.id, "");
  EXPECT_TRUE(b.text.starts_with("NOQUEUE: reject"));
  EXPECT_EQ(line("destination=office state=down").id, "");
  EXPECT_EQ(line("warning: queue abc: x").id, "");
}

TEST(LogLine, OtherLinesAreNone) {
  for (const std::string_view text : {"", "x", "Nov 22 10:00:00 mx postfix/qmgr[80]: A: removed", "Nov 22 10:00:00",
                                      "Nov 22 10:00:00 mx holdfast/qmgr: A"}) {
    EXPECT_FALSE(LogLine::parse(text)) << text;
  }
}

TEST(LogTime, HasTheYearOfItsFile) {
  const auto at = [](int year, int month, int day) {
    std::tm t{};
    t.tm_year = year - 1900, t.tm_mon = month - 1, t.tm_mday = day, t.tm_hour = 10, t.tm_isdst = -1;
    return static_cast<std::int64_t>(std::mktime(&t));
  };
  EXPECT_EQ(log_time("Nov 22 10:00:00", at(2026, 11, 22)), at(2026, 11, 22));
  EXPECT_EQ(log_time("Dec 31 10:00:00", at(2027, 1, 1)), at(2026, 12, 31));
  EXPECT_EQ(log_time("Nov  2 10:00:00", at(2026, 11, 22)), at(2026, 11, 2));
  EXPECT_FALSE(log_time("yesterday", at(2026, 11, 22)));
}

TEST(Trace, AnAddressFindsItsMessages) {
  Trace trace("A@s.Test");
  trace.learn(line("11: from=<a@s.test>, size=5, nrcpt=1 (queue active)"));
  trace.learn(line("22: to=<a@s.test>, relay=none, status=deferred (x)"));
  trace.learn(line("33: from=<ba@s.test>, size=5"));
  trace.learn(line("44: message-id=<a@s.test.example>"));
  trace.settle();
  EXPECT_TRUE(trace.belongs(line("11: removed")));
  EXPECT_TRUE(trace.belongs(line("22: removed")));
  EXPECT_FALSE(trace.belongs(line("33: removed"))) << "another address that ends so";
  EXPECT_FALSE(trace.belongs(line("44: removed")));
  EXPECT_TRUE(
      trace.belongs(line("NOQUEUE: reject: RCPT from h[::1]: 451 <x@d.test>: no; from=<a@s.test> to=<x@d.test>")));
}

TEST(Trace, AMessageIdWithOrWithoutBrackets) {
  for (const std::string_view what : {"<1@s.test>", "1@s.test"}) {
    Trace trace(what);
    trace.learn(line("11: message-id=<1@s.test>"));
    trace.learn(line("22: message-id=<11@s.test>"));
    trace.settle();
    EXPECT_TRUE(trace.belongs(line("11: removed")));
    EXPECT_FALSE(trace.belongs(line("22: removed")));
  }
}

TEST(Trace, ADomain) {
  Trace trace("@s.test");
  trace.learn(line("11: from=<a@s.test>, size=5"));
  trace.learn(line("22: from=<a@sub.s.test>, size=5"));
  trace.settle();
  EXPECT_TRUE(trace.belongs(line("11: removed")));
  EXPECT_FALSE(trace.belongs(line("22: removed")));
}

TEST(Trace, BouncesBelongToTheirMessage) {
  const std::string wrote = "AA: sender non-delivery notification: BB";
  for (const std::string_view what : {"AA", "bb", "0BB"}) {
    Trace trace(what);
    trace.learn(line("BB: to=<s@x.test>, relay=none, status=sent (250)"));
    trace.learn(line(wrote));
    trace.settle();
    EXPECT_TRUE(trace.belongs(line(wrote))) << what;
    EXPECT_TRUE(trace.belongs(line("AA: removed"))) << what;
    EXPECT_TRUE(trace.belongs(line("BB: removed"))) << what;
    EXPECT_FALSE(trace.belongs(line("CC: removed"))) << what;
  }
}

TEST(Trace, OrderWithinASecond) {
  EXPECT_LT(order_in_second("client=h[1.2.3.4]"), order_in_second("message-id=<x>"));
  EXPECT_LT(order_in_second("from=<a>, size=1, nrcpt=1 (queue active)"), order_in_second("to=<b>, relay=x"));
  EXPECT_LT(order_in_second("to=<b>, relay=x"), order_in_second("from=<a>, status=expired, returned to sender"));
  EXPECT_LT(order_in_second("sender non-delivery notification: BB"), order_in_second("removed"));
}

}  // namespace
}  // namespace holdfast::admin
