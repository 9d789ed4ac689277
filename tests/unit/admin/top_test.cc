#include "common/admin/top_report.h"

#include <gtest/gtest.h>

#include "common/base/text.h"

namespace holdfast::admin {
namespace {

Figures outage(std::uint64_t kept) {
  Figures out{.version = "0.1", .status = {}, .domains = {{"a.example", 2}, {"b.example", 7}, {"c.example", 0}}, .sums = stats::Sums{}};
  out.status.now_ms = 100'000;
  out.status.daemons = {{"master", 0, 1, "running", 0}};
  out.status.destinations = {{.name = "office", .state = "down", .reason = "connect: \x1b[2Jrefused", .mode = "pass thro'",
                              .since_ms = 40'000, .queued = 9}};
  out.status.queue = QueueLine{.messages = 9, .bytes = 2048, .deferred = 9, .active = 0, .oldest_seconds = 60};
  out.status.spool = SpoolLine{1 << 30, 50, true};
  out.status.clients = ClientsLine{.now = 3};
  (*out.sums)["smtpd"][stats::Counter::kMessagesKept] = kept;
  return out;
}

TEST(Top, TellsWhatHappensNow) {
  const auto before = outage(10);
  const auto text = top_text(outage(30), &before, 2, 200, 50);
  EXPECT_NE(text.find("10.0/s kept"), text.npos) << text;
  EXPECT_NE(text.find("0.0/s proxied"), text.npos);
  EXPECT_NE(text.find("9 messages, 2.0 KiB"), text.npos) << text;
  EXPECT_NE(text.find("office"), text.npos);
  EXPECT_LT(text.find("b.example"), text.find("a.example")) << "the one with most mail first";
  EXPECT_EQ(text.find("c.example"), text.npos);
  EXPECT_EQ(text.find('\x1b'), text.npos) << "what a server says does not act on the terminal";
}

TEST(Top, WhatIsUnknownIsADash) {
  Figures nothing{.version = "0.1", .status = {}, .domains = {}, .sums = std::nullopt};
  const auto text = top_text(nothing, nullptr, 0, 200, 50);
  EXPECT_NE(text.find("clients   - now, - new, -\n"), text.npos) << text;
  EXPECT_NE(text.find("queue     -\n"), text.npos);
}

TEST(Top, FitsTheScreen) {
  const auto before = outage(10);
  for (const std::size_t width : {0, 1, 20, 80}) {
    const auto text = top_text(outage(30), &before, 2, width, 4);
    const auto lines = base::split(text, '\n');
    ASSERT_EQ(lines.size(), 5u) << "four, and what is behind the last line's end";
    for (const auto line : lines) EXPECT_LE(line.size(), width);
  }
}

}  // namespace
}  // namespace holdfast::admin
