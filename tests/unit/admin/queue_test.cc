#include "common/admin/queue_report.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/admin/queue_filter.h"
#include "common/admin/queue_run.h"

namespace holdfast::admin {
namespace {

using nlohmann::json;
constexpr std::int64_t kNow = 1'795'339'013'000;

storage::Listed message() {
  storage::Listed item;
  item.id = mail::QueueId::make(2, 1);
  item.message.size = 2345;
  item.message.sender = "a@s.example";
  item.message.destination = "office";
  item.message.arrival_ms = kNow - 60'000;
  item.message.due_ms = kNow + 900'000;
  item.message.attempts = 1;
  item.message.expires_ms = kNow + 86'400'000;
  item.message.reason = "MAIL: 451 4.3.0 busy";
  item.recipients = {{"b@Example.Test", true, storage::RecipientStatus::kOpen, "451 4.3.0 busy", "4.3.0"},
                     {"c@example.test", true, storage::RecipientStatus::kSent, "250 ok", "2.0.0"},
                     {"d@example.test", true, storage::RecipientStatus::kOpen, "", ""}};
  return item;
}

Moment moment() { return {.now_ms = kNow, .active = {}, .shut = {}}; }

TEST(QueueJson, IsPostqueuesWithOursBehind) {
  const auto j = json::parse(queue_json(message(), moment()));
  EXPECT_EQ(j["queue_name"], "deferred");
  EXPECT_EQ(j["queue_id"], "20000000001");
  EXPECT_EQ(j["arrival_time"], kNow / 1000 - 60);
  EXPECT_EQ(j["message_size"], 2345);
  EXPECT_EQ(j["sender"], "a@s.example");
  ASSERT_EQ(j["recipients"].size(), 2U) << "the one that was reached is not waiting";
  EXPECT_EQ(j["recipients"][0]["address"], "b@Example.Test");
  EXPECT_EQ(j["recipients"][0]["delay_reason"], "451 4.3.0 busy");
  EXPECT_EQ(j["recipients"][1]["delay_reason"], "MAIL: 451 4.3.0 busy");
  EXPECT_EQ(j["domain"], "example.test");
  EXPECT_EQ(j["destination"], "office");
  EXPECT_EQ(j["next_attempt"], kNow / 1000 + 900);
  EXPECT_EQ(j["attempts"], 1);
  EXPECT_EQ(j["expires"], kNow / 1000 + 86400);
}

TEST(QueueJson, ExpiresIsWhenItEndsByItself) {
  auto item = message();
  item.message.state = storage::MessageState::kHeld;
  EXPECT_TRUE(json::parse(queue_json(item, moment()))["expires"].is_null()) << "held mail does not expire";
  item.message.state = storage::MessageState::kFrozen;
  item.message.discard_ms = kNow + 5000;
  EXPECT_EQ(json::parse(queue_json(item, moment()))["expires"], kNow / 1000 + 5);
}

TEST(QueueJson, WhoWasReportedIsNotWaitedFor) {
  auto item = message();
  item.recipients[0].status = storage::RecipientStatus::kReported;
  item.recipients[2].status = storage::RecipientStatus::kRefused;
  const auto j = json::parse(queue_json(item, moment()));
  ASSERT_EQ(j["recipients"].size(), 1U);
  EXPECT_EQ(j["recipients"][0]["status"], "refused");
  EXPECT_TRUE(j["next_attempt"].is_null()) << "nobody is left to try";
}

TEST(QueueJson, TheNullSenderIsMailerDaemon) {
  auto item = message();
  item.message.sender.clear();
  EXPECT_EQ(json::parse(queue_json(item, moment()))["sender"], "MAILER-DAEMON");
}

TEST(QueueJson, BytesThatAreNoUtf8AreReplaced) {
  auto item = message();
  item.message.sender = "\xff@s.example";
  EXPECT_EQ(json::parse(queue_json(item, moment()))["sender"], "\xef\xbf\xbd@s.example");
}

TEST(QueueJson, WhatIsHandedOverNowIsActive) {
  Moment now = moment();
  now.active = {message().id};
  EXPECT_EQ(json::parse(queue_json(message(), now))["queue_name"], "active");
  auto held = message();
  held.message.state = storage::MessageState::kHeld;
  EXPECT_EQ(json::parse(queue_json(held, now))["queue_name"], "held");
  EXPECT_TRUE(json::parse(queue_json(held, now))["next_attempt"].is_null());
}

TEST(QueueJson, AShutDestinationHasNoNextAttempt) {
  Moment now = moment();
  now.shut["office"] = "office is down: connect: connection refused";
  const auto j = json::parse(queue_json(message(), now));
  EXPECT_TRUE(j["next_attempt"].is_null());
  EXPECT_EQ(j["reason"], "office is down: connect: connection refused");
}

TEST(QueueTable, SaysWhatMatters) {
  Table table = queue_table();
  add_to(table, message(), moment());
  EXPECT_EQ(
      table.take(),
      "ID           STATE        SIZE  AGE  NEXT    EXPIRES  DESTINATION  SENDER       RECIPIENTS         REASON\n"
      "20000000001  deferred  2.3 KiB  1m   in 15m  in 1d    office       a@s.example  b@Example.Test +1  MAIL: 451 "
      "4.3.0 busy\n");
}

TEST(Mailq, LooksLikePostfixs) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  Moment now = moment();
  now.active = {message().id};
  EXPECT_EQ(mailq_head() + mailq_entry(message(), now),
            "-Queue ID-        --Size-- ----Arrival Time---- -Sender/Recipient-------\n"
            "20000000001*          2345 Sun Nov 22 09:15:53  a@s.example\n"
            "                                                              (451 4.3.0 busy)\n"
            "                                                b@Example.Test\n"
            "                                                        (MAIL: 451 4.3.0 busy)\n"
            "                                                d@example.test\n"
            "\n");
  EXPECT_EQ(mailq_foot(0, 0), "Mail queue is empty\n");
  EXPECT_EQ(mailq_foot(1, 10), "-- 1 Kbytes in 1 Request.\n");
  EXPECT_EQ(mailq_foot(5, 10240), "-- 10 Kbytes in 5 Requests.\n");
}

TEST(QueueShow, TellsTheWholeStory) {
  RecordTold told;
  told.envelope.client_address = "192.0.2.10";
  told.envelope.client_port = 4711;
  told.envelope.helo = "evil\x1b[2J";
  told.envelope.protocol = "ESMTP";
  const std::string text = message_text(message(), moment(), &told);
  EXPECT_NE(text.find("client        unknown[192.0.2.10]:4711\n"), std::string::npos) << text;
  EXPECT_NE(text.find("c@example.test  sent    250 ok\n"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(message_text(message(), moment(), nullptr).find("record        cannot be read\n"), std::string::npos);
}

TEST(QueueShow, LeadsFromACopyToItsOriginalAndBack) {
  RecordTold copy, original;
  copy.copy_of = mail::QueueId::make(2, 1);
  original.copies = {{mail::QueueId::make(2, 2), "ceo@elsewhere.test", "ceo@example.test", true},
                     {mail::QueueId::make(2, 3), "cfo@elsewhere.test", "cfo@example.test", false}};
  EXPECT_NE(message_text(message(), moment(), &copy).find("copy of       20000000001\n"), std::string::npos);
  const std::string text = message_text(message(), moment(), &original);
  EXPECT_NE(text.find("copy          20000000002 to <ceo@elsewhere.test>, queued\n"), std::string::npos) << text;
  EXPECT_NE(text.find("copy          20000000003 to <cfo@elsewhere.test>, not in the queue any more\n"), std::string::npos) << text;
  const auto j = json::parse(message_json(message(), moment(), &original));
  EXPECT_TRUE(j["copy_of"].is_null());
  ASSERT_EQ(j["copies"].size(), 2U);
  EXPECT_EQ(j["copies"][1], (json{{"queue_id", "20000000003"}, {"address", "cfo@elsewhere.test"}, {"for", "cfo@example.test"}, {"queued", false}}));
  EXPECT_EQ(json::parse(message_json(message(), moment(), &copy))["copy_of"], "20000000001");
}

TEST(QueueShow, ACopyIsKnownByItsFirstLine) {
  EXPECT_EQ(original_of("X-Holdfast-Copy-Of: 1A\r\nReceived: x\r\n"), mail::QueueId{0x1A});
  for (const char* other : {"", "Received: x\r\nX-Holdfast-Copy-Of: 1A\r\n", "X-Holdfast-Copy-Of: ", "X-Holdfast-Copy-Of: x\r\n"}) {
    EXPECT_FALSE(original_of(other)) << other;
  }
}

TEST(QueueWords, MustChooseSomething) {
  QueueWords words;
  EXPECT_EQ(words.for_qmgr(false).error().kind, base::Kind::kUsage);
  words.ids = {"20000000001"};
  EXPECT_EQ(words.for_qmgr(true).value(), (std::vector<std::string>{"20000000001"}));
  words.sender = "a@b";
  EXPECT_FALSE(words.for_qmgr(false)) << "ids and a filter";
}

TEST(QueueWords, ThatAreLongerThanAnyName) {
  QueueWords words;
  words.destination = std::string(401, 'x');
  EXPECT_EQ(words.filter().error().kind, base::Kind::kUsage);
  EXPECT_EQ(words.for_qmgr(false).error().kind, base::Kind::kUsage);
}

TEST(QueueWords, ThatDestroyManyNeedAYes) {
  QueueWords words;
  words.domain = "example.test";
  EXPECT_FALSE(words.for_qmgr(true));
  EXPECT_TRUE(words.for_qmgr(false));
  words.dry_run = true;
  EXPECT_EQ(words.for_qmgr(true).value(), (std::vector<std::string>{"--domain", "example.test", "--dry-run"}));
  words.dry_run = false;
  words.yes = true;
  EXPECT_EQ(words.for_qmgr(true).value(), (std::vector<std::string>{"--domain", "example.test"}));
}

TEST(QueueWords, AreChecked) {
  QueueWords words;
  words.ids = {"xyz"};
  EXPECT_EQ(words.for_qmgr(false).error().text, "'xyz' is not a queue id");
  words.state = "odd";
  EXPECT_EQ(words.filter().error().kind, base::Kind::kUsage);
  words.state = "active";
  EXPECT_EQ(words.filter()->state, storage::MessageState::kDeferred);
}

TEST(DeedOutcome, AddsUpWhatQmgrSaysOfEachThousand) {
  DeedOutcome out;
  out.named = true;
  EXPECT_TRUE(out.rest());
  out.add({.exit = 0, .json = R"({"changed":1000})", .text = ""});
  out.add({.exit = 67, .json = R"({"changed":7,"null_sender":1,"busy":2})", .text = "2 messages left alone\nnot in the queue: FFFF AAAA"});
  out.add({.exit = 67, .json = R"({"changed":0,"busy":1})", .text = "not in the queue: BBBB"});
  EXPECT_EQ(out.json(), R"({"busy":3,"changed":1007,"null_sender":1})");
  EXPECT_EQ(out.missing, (std::vector<std::string>{"FFFF", "AAAA", "BBBB"}));
  ASSERT_FALSE(out.rest());
  EXPECT_EQ(out.rest().error().kind, base::Kind::kNotFound);
  EXPECT_NE(out.rest().error().text.find("3 messages left alone: being handed over"), std::string::npos);
  EXPECT_TRUE(out.rest().error().text.ends_with("not in the queue: FFFF AAAA BBBB"));
}

TEST(DeedOutcome, OfAFilterOnlyWhatIsBusyIsLeft) {
  DeedOutcome out;
  out.add({.exit = 0, .json = R"({"changed":3,"null_sender":1})", .text = ""});
  out.add({.exit = 67, .json = R"({"changed":0})", .text = "not in the queue: FFFF"});
  EXPECT_TRUE(out.rest()) << "what is gone meanwhile is nobody's fault";
  out.add({.exit = 75, .json = R"({"changed":0,"busy":1})", .text = ""});
  EXPECT_EQ(out.rest().error().kind, base::Kind::kTemporary);
}

TEST(QueueWords, AnAgeIsAFilterAndMustBeADuration) {
  QueueWords words;
  words.older = "soon";
  EXPECT_EQ(words.for_qmgr(false).error().kind, base::Kind::kUsage);
  words.older = "2h";
  EXPECT_TRUE(words.for_qmgr(false));
  EXPECT_EQ(words.for_qmgr(true).error().kind, base::Kind::kUsage) << "it destroys more than named messages";
  words.ids = {"20000000001"};
  EXPECT_EQ(words.for_qmgr(false).error().kind, base::Kind::kUsage) << "ids or a filter";
}

}  // namespace
}  // namespace holdfast::admin
