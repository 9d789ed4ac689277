#include "alertd/report.h"

#include <gtest/gtest.h>

#include "alertd/message.h"
#include "alertd/outbox.h"

namespace holdfast::alertd {
namespace {

constexpr std::int64_t kNow = 1'795'413'600'000;

std::vector<std::string> words() { return {"1795413600", "[Holdfast mx] the day", "holdfast-1", "--holdfast-1\r\n\r\nText\r\n--holdfast-1--\r\n"}; }

TEST(Report, BecomesAMail) {
  const auto notice = report_notice(words(), "mx", kNow);
  ASSERT_TRUE(notice);
  const auto mail = mail_text(*notice, {.from = "holdfast@mx", .to = "a@b.test", .host = "mx"});
  EXPECT_NE(mail.find("Subject: [Holdfast mx] the day\r\n"), mail.npos);
  EXPECT_NE(mail.find("Auto-Submitted: auto-generated\r\n"), mail.npos);
  EXPECT_NE(mail.find("Content-Type: multipart/alternative; boundary=\"holdfast-1\"\r\n\r\n--holdfast-1\r\n"), mail.npos);
  EXPECT_TRUE(mail.ends_with("--holdfast-1--\r\n"));
  EXPECT_EQ(report_number(words()), 1'795'413'600U);
}

TEST(Report, WhatIsNoMailIsRefused) {
  const auto refused = [](std::size_t which, std::string text) {
    auto bad = words();
    bad[which] = std::move(text);
    return !report_notice(bad, "mx", kNow);
  };
  EXPECT_TRUE(refused(1, "x\r\nBcc: y@z.test"));
  EXPECT_TRUE(refused(1, ""));
  EXPECT_TRUE(refused(1, std::string(901, 'x')));
  EXPECT_TRUE(refused(2, "a\"; x=\""));
  EXPECT_TRUE(refused(2, ""));
  EXPECT_TRUE(refused(3, "no end"));
  EXPECT_TRUE(refused(3, "bare\nline\r\n"));
  EXPECT_TRUE(refused(3, "bare\rreturn\r\n"));
  EXPECT_TRUE(refused(3, "\xc3\xa4\r\n"));
  EXPECT_TRUE(refused(3, std::string(999, 'x') + "\r\n"));
  std::string long_one;
  while (long_one.size() <= kLongestReport) long_one += "0123456789\r\n";
  EXPECT_TRUE(refused(3, long_one));
  EXPECT_FALSE(report_notice({"1", "2"}, "mx", kNow));
}

TEST(Report, GoesByRoadsOfItsOwn) {
  config::Alerts alerts;
  alerts.to = {"a@b.test"};
  EXPECT_TRUE(report_roads(alerts).empty()) << "no relay";
  alerts.relays = {{}};
  EXPECT_EQ(report_roads(alerts), std::vector<std::string>{"report a@b.test"});
  alerts.report.to = {"c@d.test", "c@d.test"};
  EXPECT_EQ(report_roads(alerts), std::vector<std::string>{"report c@d.test"});

  Outbox box;
  box.set_roads({"mail a@b.test"}, {"report c@d.test"});
  const auto id = box.add_by({"report c@d.test"}, *report_notice(words(), "mx", kNow), kNow);
  box.written({id});
  EXPECT_EQ(box.next("mail a@b.test", kNow, false), nullptr);
  ASSERT_NE(box.next("report c@d.test", kNow, false), nullptr);
  box.set_roads({"mail a@b.test"}, {"report c@d.test"});
  EXPECT_EQ(box.waiting("report c@d.test"), 1U);
  box.set_roads({"mail a@b.test"}, {});
  EXPECT_EQ(box.find(id), nullptr) << "nobody gets it any more";
}

TEST(Report, SoManyAreTakenInAnHour) {
  ReportPace pace;
  const base::Mono begin{};
  for (std::size_t i = 0; i < ReportPace::kMost; ++i) EXPECT_TRUE(pace.take(begin + base::Seconds(i))) << i;
  EXPECT_FALSE(pace.take(begin + ReportPace::kWithin - base::Millis(1)));
  EXPECT_TRUE(pace.take(begin + ReportPace::kWithin)) << "the first is an hour old";
  EXPECT_FALSE(pace.take(begin + ReportPace::kWithin)) << "the second is not";
}

}  // namespace
}  // namespace holdfast::alertd
