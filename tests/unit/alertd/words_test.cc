#include "alertd/words.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "common/config/alert_kinds.h"

namespace holdfast::alertd {
namespace {

constexpr std::int64_t kNow = 1'795'339'013'000, kHour = 3'600'000;

Alert office() {
  Alert a;
  a.id = 17;
  a.kind = "destination_down";
  a.subject = "office";
  a.cause = "connect: connection refused";
  a.opened_ms = a.first_ms = kNow - 2 * kHour;
  a.count = 1;
  a.raised = {kNow - 2 * kHour};
  return a;
}

Surroundings around() {
  return {.host = "mx.example.test",
          .held = Held{.messages = 1204, .bytes = 39845888, .oldest_ms = kNow - 2 * kHour, .expires_ms = kNow + 94 * kHour},
          .lifetime_ms = 96 * kHour,
          .repeat_ms = 4 * kHour};
}

std::string fact(const Notice& n, std::string_view key) {
  const auto found = std::ranges::find(n.facts, key, &Fact::key);
  return found == n.facts.end() ? "?" : found->value;
}

TEST(Words, AnOutageSaysAllThatIsAskedAtNight) {
  const auto n = notice_of(office(), What::kOpened, around(), kNow);
  EXPECT_EQ(n.title, "[Holdfast mx.example.test] office is down");
  for (const char* part : {"office is down since ", "(2h)", "Cause: connect: connection refused", "Queued now: 1,204 messages (38.0 MiB).",
                           "The oldest has waited 2h.", "The first goes back to its sender in 3d 22h, at ", "Each message is kept for 4d.",
                           "What to do: ", "gatewayctl dest test office", "again every 4h", "gatewayctl alert ack 17"}) {
    EXPECT_NE(n.text.find(part), std::string::npos) << part << " in\n" << n.text;
  }
  EXPECT_EQ(fact(n, "kind"), "destination_down");
  EXPECT_EQ(fact(n, "held"), "1204");
  EXPECT_EQ(fact(n, "until"), "");
  EXPECT_EQ(fact(n, "severity"), "critical");
}

TEST(Words, TheAllClearSaysHowLongAndHowMuch) {
  Alert a = office();
  a.closed_ms = kNow;
  a.most = {.messages = 1204, .bytes = 39845888, .oldest_ms = 0, .expires_ms = 0};
  auto with = around();
  with.held = Held{};
  const auto n = notice_of(a, What::kCleared, with, kNow);
  EXPECT_EQ(n.title, "[Holdfast mx.example.test] office is up again");
  EXPECT_NE(n.text.find("It lasted 2h, from "), std::string::npos) << n.text;
  EXPECT_NE(n.text.find("Queued at most: 1,204 messages (38.0 MiB). Handed over since: 1,204. Still queued: no message."), std::string::npos)
      << n.text;
  EXPECT_EQ(n.text.find("What to do"), std::string::npos);
  EXPECT_NE(fact(n, "until"), "");
}

TEST(Words, AnOutageThatThePausingEndsIsNotCalledUp) {
  Alert a = office();
  a.closed_ms = kNow;
  a.ended = "is paused by the admin";
  EXPECT_EQ(notice_of(a, What::kCleared, around(), kNow).title, "[Holdfast mx.example.test] office is paused by the admin");
}

TEST(Words, RepeatedFlappingAndCalmSaySo) {
  Alert a = office();
  EXPECT_NE(notice_of(a, What::kRepeated, around(), kNow).title.find("still: office is down"), std::string::npos);
  a.flapping = true;
  a.count = 5;
  const auto n = notice_of(a, What::kFlapping, around(), kNow);
  EXPECT_NE(n.title.find("again and again: office is down"), std::string::npos);
  EXPECT_NE(n.text.find("it has come and gone 5 times since "), std::string::npos) << n.text;
  EXPECT_NE(notice_of(a, What::kCalm, around(), kNow).title.find("no longer changing"), std::string::npos);
}

TEST(Words, WhatHappenedOftenSaysHowOften) {
  Alert a;
  a.id = 3;
  a.kind = "daemon_died";
  a.subject = "qmgr";
  a.first_ms = a.opened_ms = kNow - kHour;
  a.count = 7;
  a.told_count = 1;
  const auto n = notice_of(a, What::kRepeated, around(), kNow);
  EXPECT_NE(n.title.find("qmgr died and is started again (6 more)"), std::string::npos) << n.title;
  EXPECT_NE(n.text.find("7 times since "), std::string::npos) << n.text;
  EXPECT_EQ(n.text.find("alert ack"), std::string::npos) << "it is not repeated by itself";
}

TEST(Words, WhatIsNotKnownIsNotSaid) {
  auto with = around();
  with.held.reset();
  EXPECT_EQ(notice_of(office(), What::kOpened, with, kNow).text.find("Queued"), std::string::npos);
}

TEST(Words, NothingFromOutsideMakesLinesOrControlsATerminal) {
  Alert a = office();
  a.cause = "550 no\r\nBcc: all@example.test\r\n\x1b[2J caf\xc3\xa9";
  const auto n = notice_of(a, What::kOpened, around(), kNow);
  for (const auto& text : {n.title, n.text}) {
    EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= 32 && c < 127); })) << text;
  }
  EXPECT_EQ(n.text.find("\nBcc"), std::string::npos);
}

TEST(Words, EveryKindHasWordsForEveryMoment) {
  for (const auto& kind : config::alert_kinds()) {
    EXPECT_EQ(kind.lasting, !kind.all_clear.empty()) << kind.name;
    EXPECT_EQ(kind.lasting, !kind.cleared.empty()) << kind.name;
    Alert a = office();
    a.kind = kind.name;
    a.subject = kind.subject.empty() ? "" : "SUBJECT";
    a.closed_ms = kNow;
    for (const auto what : {What::kOpened, What::kRepeated, What::kFlapping, What::kCalm, What::kCleared}) {
      if (!kind.lasting && what != What::kOpened && what != What::kRepeated) continue;
      const auto n = notice_of(a, what, around(), kNow);
      EXPECT_EQ(n.title.find("{}"), std::string::npos) << kind.name;
      EXPECT_EQ(n.text.find("{}"), std::string::npos) << kind.name;
      EXPECT_TRUE(n.text.ends_with('\n')) << kind.name;
    }
  }
}

TEST(Words, Amounts) {
  EXPECT_EQ(amount_text(0, 0), "no message");
  EXPECT_EQ(amount_text(1, 512), "1 message (512 B)");
  EXPECT_EQ(amount_text(1234567, 5ULL << 30), "1,234,567 messages (5.0 GiB)");
}

}  // namespace
}  // namespace holdfast::alertd
