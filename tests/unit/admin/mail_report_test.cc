#include "common/admin/mail_report.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

#include "common/admin/report_json.h"
#include "common/admin/report_look.h"
#include "common/admin/report_page.h"
#include "common/admin/report_times.h"
#include "common/admin/text_json.h"
#include "common/base/text.h"

namespace holdfast::admin {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kMonday = 1'795'413'600;  // Mon 23 Nov 2026 06:00 UTC

// In a time zone that changes its clocks.
class ReportTimes : public ::testing::Test {
 protected:
  ReportTimes() { zone("Europe/Berlin"); }
  ~ReportTimes() override { zone("UTC"); }
  static void zone(const char* name) {
    ::setenv("TZ", name, 1);
    ::tzset();
  }
};

TEST_F(ReportTimes, ADayIsDueAtItsTime) {
  const auto six = kMonday - 3600;  // 06:00 in Berlin
  const base::Seconds at{6 * 3600};
  EXPECT_EQ(last_due(false, at, six), six);
  EXPECT_EQ(last_due(false, at, six - 1), six - kDay);
  EXPECT_EQ(last_due(false, at, six + kDay - 1), six);
  EXPECT_EQ(last_due(true, at, six), six) << "a Monday";
  EXPECT_EQ(last_due(true, at, six - 1), six - 7 * kDay);
  EXPECT_EQ(last_due(true, at, six + 6 * kDay), six);
  EXPECT_EQ(period_begin(false, six), six - kDay);
  EXPECT_EQ(period_begin(true, six), six - 7 * kDay);
}

TEST_F(ReportTimes, ADayMayHave25Hours) {
  constexpr std::int64_t kSunday = 1'792'904'400;  // 25 Oct 2026 06:00 in Berlin, the clocks having gone back
  EXPECT_EQ(last_due(false, base::Seconds{6 * 3600}, kSunday), kSunday);
  EXPECT_EQ(period_begin(false, kSunday), kSunday - kDay - 3600);
}

TEST(ReportMoments, AreToldOnce) {
  EXPECT_EQ(judge_due(0, kMonday), Due::kBegin) << "just switched on";
  EXPECT_EQ(judge_due(kMonday, kMonday), Due::kNo);
  EXPECT_EQ(judge_due(kMonday, kMonday + kDay), Due::kNow);
  EXPECT_EQ(judge_due(kMonday, kMonday + 5 * kDay), Due::kNow) << "one for all the days that were missed";
  EXPECT_EQ(judge_due(kMonday + kDay, kMonday), Due::kBegin) << "the clock was put back";
}

MailReport sample() {
  MailReport out{.host = "mx.example.test", .weekly = false, .from_s = kMonday - kDay, .to_s = kMonday};
  out.steps.assign(288, ReportStep{.passed = 10, .queued = 1, .refused = 2, .known_s = 300, .waiting_sum = 1500, .waiting_s = 300});
  out.steps[100].waiting_sum = 300 * 1234;
  out.outages = {{.destination = "office", .reason = "connect: <refused> & gone", .from_s = kMonday - 7200, .to_s = kMonday - 3600}};
  out.refusals.add({.when_s = 0, .reply = "550 5.1.1", .why = "Recipient address rejected: User unknown", .sender = "", .recipient = "x@example.test"});
  return out;
}

TEST(MailReport, TellsFiguresOutagesAndRefusals) {
  const auto text = report_text(sample());
  EXPECT_NE(text.find("Passed straight through             2,880 messages\n"), text.npos) << text;
  EXPECT_NE(text.find("Queued at most                      1,234 messages\n"), text.npos);
  EXPECT_NE(text.find("office: down 1h, from Mon 23 Nov 04:00 to Mon 23 Nov 05:00: connect: <refused> & gone\n"), text.npos);
  EXPECT_NE(text.find("550 5.1.1"), text.npos);
  EXPECT_EQ(text.find("% of the time"), text.npos) << "all of it is known";
  EXPECT_EQ(report_title(sample()),
            "[Holdfast mx.example.test] the day until Mon 23 Nov 06:00: 2,880 passed, 288 queued, 576 refused, 1 outage");
}

TEST(MailReport, WhatIsUnknownIsSaid) {
  auto half = sample();
  std::fill_n(half.steps.begin(), 144, ReportStep{});
  EXPECT_NE(report_text(half).find("These figures are of 50.0 % of the time only"), std::string::npos);
  EXPECT_EQ(report_text(half).find("\n06:00       0"), std::string::npos) << "a dash, never 0";
  half.steps.clear();
  half.gaps = {"what passed and was queued: there is no history"};
  EXPECT_NE(report_text(half).find("Not known: what passed and was queued: there is no history\n"), std::string::npos);
  EXPECT_EQ(report_title(half), "[Holdfast mx.example.test] the day until Mon 23 Nov 06:00: 1 outage");
}

TEST(MailReport, TheMostThatWaitedIsNotLessThanWhatWaitsNow) {
  auto report = sample();
  report.queued_now = 2000;
  EXPECT_EQ(most_waiting(report), 2000);
  report.queued_now = 3;
  EXPECT_EQ(most_waiting(report), 1234);
  report.steps.clear();
  EXPECT_EQ(most_waiting(report), std::nullopt);
}

TEST(MailReport, IsAMailOfSevenBitsWhateverItTells) {
  auto report = sample();
  report.outages[0].reason = "l\xc3\xb6st\r\nBcc: x <script>alert(1)</script>" + std::string(5000, 'x');
  report.outages[0].destination = "\"><img src=x>";
  const auto body = report_body(report);
  ASSERT_TRUE(body.content.ends_with("\r\n"));
  for (auto line : base::split(std::string_view(body.content).substr(0, body.content.size() - 1), '\n')) {
    ASSERT_TRUE(line.ends_with('\r')) << line;
    line.remove_suffix(1);
    ASSERT_LE(line.size(), 998U);
    ASSERT_TRUE(std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; })) << line;
  }
  EXPECT_EQ(body.content.find("<script>"), body.content.rfind("<script>")) << "in the plain text alone";
  EXPECT_EQ(body.content.find("\"><img"), body.content.rfind("\"><img"));
  EXPECT_LT(body.content.size(), 100'000U);
}

TEST(MailReport, AsJsonHasTheSameFigures) {
  auto report = sample();
  std::fill_n(report.steps.begin(), 12, ReportStep{});
  report.queued_now = 7;
  const auto out = json::parse(report_json(report));
  EXPECT_EQ(out["title"], report_title(report));
  EXPECT_EQ(out["text"], report_text(report));
  EXPECT_EQ(out["period"], "daily");
  EXPECT_EQ(out["from"], "2026-11-22T06:00:00Z");
  EXPECT_EQ(out["totals"]["passed"], 2760);
  EXPECT_EQ(out["totals"]["most_waiting"], 1234);
  EXPECT_EQ(out["totals"]["known_seconds"], kDay - 3600);
  EXPECT_EQ(out["queued_now"], 7);
  EXPECT_EQ(out["outages"][0]["seconds"], 3600);
  EXPECT_EQ(out["outages"][0]["to"], "2026-11-23T05:00:00Z");
  EXPECT_EQ(out["refusals"]["busiest"][0]["recipient"], "x@example.test");
  ASSERT_EQ(out["course"].size(), 24U);
  EXPECT_TRUE(out["course"][0]["figures"].is_null()) << "unknown, and not 0";
  EXPECT_EQ(out["course"][1]["figures"]["refused"], 24);
  report.steps.clear();
  EXPECT_TRUE(json::parse(report_json(report))["totals"].is_null());
}

TEST(MailReport, AsJsonIsUtf8AndBoundedWhateverItTells) {
  auto report = sample();
  report.outages.assign(5000, report.outages[0]);
  report.outages.back().reason = "\xff<script>\x01";
  report.gaps = {"\xc3"};
  const auto text = report_json(report);
  const auto out = json::parse(text);
  EXPECT_EQ(out["outages_all"], 5000);
  EXPECT_EQ(out["outages"].size(), 200U) << "the latest of them";
  EXPECT_EQ(out["outages"].back()["reason"], "\xef\xbf\xbd<script>\x01");
  EXPECT_EQ(std::ranges::count(text, '\n'), 1) << "one line";
}

TEST(Refusals, OfOneKindAreCountedTogether) {
  Refusals all;
  const auto add = [&](const char* why) { all.add({.when_s = 0, .reply = "554 5.7.1", .why = why, .sender = "", .recipient = "a@b.test"}); };
  add("Client host [192.0.2.1] blocked using x.test");
  add("Client host [192.0.2.77] blocked using x.test");
  add("Refused");
  const auto rows = all.busiest(10);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].times, 2U);
  EXPECT_EQ(rows[0].why, "Client host * blocked using x.test");
  EXPECT_EQ(all.busiest(1).size(), 1U);
}

TEST(Refusals, TheirKindsAreBounded) {
  Refusals all;
  for (std::size_t i = 0; i < Refusals::kMost + 5; ++i) {
    const auto letter = [](std::size_t n) { return static_cast<char>('a' + n % 26); };
    all.add({.when_s = 0, .reply = "550", .why = {letter(i), letter(i / 26), letter(i / 676)}, .sender = "", .recipient = ""});
  }
  EXPECT_EQ(all.busiest(100'000).size(), Refusals::kMost);
  EXPECT_EQ(all.others(), 5U);
  EXPECT_EQ(all.all(), Refusals::kMost + 5);
}

TEST(Outages, AreCutToThePeriod) {
  const std::vector<StateChange> changes{{100, "down", "up", "first"}, {150, "down", "down", "again"}, {200, "draining", "down", ""},
                                         {210, "up", "draining", ""},  {300, "down", "up", "second"}};
  const auto all = outages_in("office", changes, 0, 400);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].from_s, 100);
  EXPECT_EQ(all[0].to_s, 200);
  EXPECT_EQ(all[0].reason, "first");
  EXPECT_FALSE(all[0].lasts);
  EXPECT_TRUE(all[1].lasts) << "nothing says that it ended";
  const auto cut = outages_in("office", changes, 120, 180);
  ASSERT_EQ(cut.size(), 1U);
  EXPECT_TRUE(cut[0].before && cut[0].lasts);
  EXPECT_EQ(cut[0].from_s, 120);
  EXPECT_EQ(cut[0].to_s, 180);
  EXPECT_TRUE(outages_in("office", changes, 201, 299).empty());
}

TEST(Pictures, ShowWhatTheyTell) {
  const auto report = sample();
  const auto strip = outages_picture(report, "office");
  const auto red = [&](int x) { return strip.at(x, 5) == Ink::kRed; };
  EXPECT_FALSE(red(300));
  EXPECT_TRUE(red(50 + 589 * 225 / 240)) << "22:30 hours in";
  EXPECT_FALSE(red(639));
  const auto rates = rates_picture(report);
  int blue = 0;
  for (int x = 60; x < 630; ++x) {
    for (int y = 0; y < rates.height(); ++y) blue += rates.at(x, y) == Ink::kBlue;
  }
  EXPECT_GE(blue, 570) << "a line from end to end";
  EXPECT_TRUE(rates.png().starts_with("\x89PNG\r\n\x1a\n"));
}

TEST(Pictures, DrawNothingOutside) {
  Picture small(10, 5);
  small.line(-50, -50, 50, 50, Ink::kRed);
  small.fill(8, 3, 100, 100, Ink::kBlue);
  small.write(-3, -3, "8:0.k?", Ink::kText);
  EXPECT_EQ(small.at(9, 4), Ink::kBlue);
  EXPECT_EQ(small.at(10, 4), Ink::kPaper);
  EXPECT_GT(small.png().size(), 50U);
}

}  // namespace
}  // namespace holdfast::admin
