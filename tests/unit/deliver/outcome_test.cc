#include "deliver/outcome.h"

#include <functional>
#include <optional>

#include <gtest/gtest.h>

#include "tests/unit/deliver/jobs.h"

namespace holdfast::deliver {
namespace {

using ipc::RecipientStatus;
using mail::Reply;
using mail::Stage;
using test::job_to;
using test::status_of;

const Reply kOk = Reply::make(250, "2.1.5", "Ok");
const Reply kUnknown = Reply::make(550, "5.1.1", "no such user");
const Reply kLater = Reply::make(451, "4.3.0", "later");

TEST(Outcome, EachRecipientKeepsItsOwnWord) {
  OutcomeBuilder builder(job_to({"a@x.test", "b@x.test", "c@x.test"}));
  builder.on_relay("h[127.0.0.1]:25");
  builder.rcpt_answered(kOk);
  builder.rcpt_answered(kUnknown);
  EXPECT_FALSE(builder.all_answered());
  builder.rcpt_answered(kLater);
  EXPECT_TRUE(builder.all_answered());
  EXPECT_TRUE(builder.any_accepted());
  builder.dot_answered(Reply::make(250, "2.0.0", "Ok: taken"));

  const ipc::Outcome& o = builder.outcome();
  EXPECT_EQ(o.queue_id, 0x10000000001u);
  EXPECT_EQ(o.attempt, 1u);
  EXPECT_EQ(o.destination, "office");
  EXPECT_EQ(o.relay, "h[127.0.0.1]:25");
  EXPECT_EQ(o.stage, Stage::kNone);
  ASSERT_EQ(o.recipients.size(), 3u);
  EXPECT_EQ(status_of(o, 0), RecipientStatus::kSent);
  EXPECT_EQ(o.recipients[0].reply, "250 2.0.0 Ok: taken");
  EXPECT_EQ(status_of(o, 1), RecipientStatus::kRefused);
  EXPECT_EQ(o.recipients[1].dsn, "5.1.1");
  EXPECT_EQ(o.recipients[1].stage, Stage::kRcpt);
  EXPECT_TRUE(o.recipients[1].speaks_of_recipient);
  EXPECT_EQ(status_of(o, 2), RecipientStatus::kDeferred);
  EXPECT_EQ(o.recipients[2].index, 2u);
}

TEST(Outcome, NamesThoseWhoseSenderIsToldBy) {
  mail::Envelope envelope;
  envelope.sender = "a@client.test";
  for (const auto* notify : {"", "SUCCESS", "SUCCESS", "FAILURE", "success,delay"}) {
    envelope.recipients.push_back({.address = "x@x.test", .orcpt = "", .notify = notify});
  }
  ipc::Job job = job_to({"b@x.test", "c@x.test", "d@x.test", "e@x.test"});  // the first was reached before
  for (auto& recipient : job.recipients) ++recipient.index;
  OutcomeBuilder builder(job);
  builder.rcpt_answered(kOk);
  builder.rcpt_answered(kUnknown);
  builder.rcpt_answered(kOk);
  builder.rcpt_answered(kOk);
  builder.dot_answered(kOk);
  auto of_null = builder;
  builder.owe_success(envelope);
  EXPECT_EQ(builder.outcome().success_owed, (std::vector<std::uint32_t>{1, 4}));
  envelope.sender.clear();
  of_null.owe_success(envelope);
  EXPECT_TRUE(of_null.outcome().success_owed.empty());
}

TEST(Outcome, ByLmtpEachAcceptedRecipientHasItsOwnAnswer) {
  OutcomeBuilder builder(job_to({"a@x.test", "no@x.test", "b@x.test", "c@x.test", "d@x.test"}));
  builder.rcpt_answered(kOk);
  builder.rcpt_answered(kUnknown);
  for (int i = 0; i < 3; ++i) builder.rcpt_answered(kOk);
  builder.dot_answered_for_one(Reply::make(250, "2.0.0", "Saved"));
  builder.dot_answered_for_one(Reply::make(452, "4.2.2", "over quota"));
  builder.dot_answered_for_one(Reply::make(554, "5.7.1", "spam"));
  builder.connection_failed({.stage = Stage::kDot, .reason = "end of DATA: lost", .mail_answered = true, .dot_sent = true});
  const ipc::Outcome& o = builder.outcome();
  EXPECT_EQ(status_of(o, 0), RecipientStatus::kSent);
  EXPECT_EQ(o.recipients[1].reply, "550 5.1.1 no such user");
  EXPECT_EQ(status_of(o, 2), RecipientStatus::kDeferred);
  EXPECT_EQ(o.recipients[2].stage, Stage::kRcpt) << "it speaks of the mailbox";
  EXPECT_EQ(status_of(o, 3), RecipientStatus::kRefused);
  EXPECT_EQ(o.recipients[3].stage, Stage::kDot);
  EXPECT_EQ(status_of(o, 4), RecipientStatus::kDeferred);
  EXPECT_EQ(o.recipients[4].reply, "end of DATA: lost");
  EXPECT_TRUE(o.possible_duplicate);
}

TEST(Outcome, AClientWhoIsRefusedIsAsRefusedAtMail) {
  OutcomeBuilder told(job_to({"a@x.test"})), dropped(job_to({"a@x.test"})), late(job_to({"a@x.test"}));
  told.client_refused({.stage = Stage::kBanner, .reply = Reply::make(554, "5.7.1", "not you"), .relay = "h:25", .of_client = true});
  EXPECT_EQ(told.outcome().stage, Stage::kMail);
  EXPECT_EQ(told.outcome().code, 554);
  EXPECT_EQ(status_of(told.outcome(), 0), RecipientStatus::kRefused);
  dropped.client_refused({.stage = Stage::kBanner, .reason = "banner: closed", .relay = "h:25", .of_client = true});
  EXPECT_EQ(dropped.outcome().stage, Stage::kMail);
  EXPECT_TRUE(dropped.outcome().connection_lost);
  EXPECT_EQ(status_of(dropped.outcome(), 0), RecipientStatus::kDeferred);
  late.client_refused({.stage = Stage::kBanner, .reason = "banner: timed out", .relay = "h:25", .of_client = true, .timed_out = true});
  EXPECT_FALSE(late.outcome().connection_lost);
}

TEST(Outcome, KeepsTheIndicesOfTheRecord) {
  ipc::Job job = job_to({"c@x.test", "e@x.test"});
  job.recipients[0].index = 2;
  job.recipients[1].index = 4;
  OutcomeBuilder builder(job);
  builder.rcpt_answered(kUnknown);
  builder.rcpt_answered(kOk);
  builder.dot_answered(kLater);
  EXPECT_EQ(builder.outcome().recipients[0].index, 2u);
  EXPECT_EQ(builder.outcome().recipients[1].index, 4u);
}

TEST(Outcome, ARefusedDotIsForTheAcceptedOnesOnly) {
  OutcomeBuilder builder(job_to({"a@x.test", "b@x.test"}));
  builder.rcpt_answered(kLater);
  builder.rcpt_answered(kOk);
  builder.dot_answered(Reply::make(554, "5.7.1", "spam"));
  const ipc::Outcome& o = builder.outcome();
  EXPECT_EQ(o.stage, Stage::kDot);
  EXPECT_EQ(o.code, 554);
  EXPECT_EQ(status_of(o, 0), RecipientStatus::kDeferred);
  EXPECT_EQ(o.recipients[0].stage, Stage::kRcpt);
  EXPECT_EQ(status_of(o, 1), RecipientStatus::kRefused);
  EXPECT_EQ(o.recipients[1].stage, Stage::kDot);
  EXPECT_FALSE(o.recipients[1].speaks_of_recipient);
}

TEST(Outcome, MailRefusedIsForAllAndSpeaksOfNoRecipient) {
  OutcomeBuilder builder(job_to({"a@x.test", "b@x.test"}));
  builder.mail_refused(Reply::make(550, "", "not you"));
  const ipc::Outcome& o = builder.outcome();
  EXPECT_EQ(o.stage, Stage::kMail);
  EXPECT_EQ(o.code, 550);
  EXPECT_FALSE(o.connection_lost);
  for (const auto& recipient : o.recipients) {
    EXPECT_EQ(recipient.stage, Stage::kMail);
    EXPECT_FALSE(recipient.speaks_of_recipient);
    EXPECT_FALSE(recipient.own_words);
  }
}

TEST(Outcome, DataRefused) {
  OutcomeBuilder builder(job_to({"a@x.test", "b@x.test"}));
  builder.rcpt_answered(kOk);
  builder.rcpt_answered(kUnknown);
  builder.data_refused(kLater);
  const ipc::Outcome& o = builder.outcome();
  EXPECT_EQ(o.stage, Stage::kData);
  EXPECT_EQ(status_of(o, 0), RecipientStatus::kDeferred);
  EXPECT_EQ(status_of(o, 1), RecipientStatus::kRefused);
}

TEST(Outcome, ALostConnectionLeavesFinalWordsAlone) {
  OutcomeBuilder builder(job_to({"a@x.test", "b@x.test", "c@x.test"}));
  builder.rcpt_answered(kUnknown);
  builder.rcpt_answered(kOk);
  builder.connection_failed(
      {.stage = Stage::kRcpt, .reason = "RCPT: connection closed by the server", .reply = {}, .mail_answered = true});
  const ipc::Outcome& o = builder.outcome();
  EXPECT_TRUE(o.connection_lost);
  EXPECT_FALSE(o.possible_duplicate);
  EXPECT_EQ(o.stage, Stage::kRcpt);
  EXPECT_EQ(o.code, 0);
  EXPECT_EQ(status_of(o, 0), RecipientStatus::kRefused);
  for (const std::size_t i : {1, 2}) {
    EXPECT_EQ(status_of(o, i), RecipientStatus::kDeferred);
    EXPECT_TRUE(o.recipients[i].own_words);
    EXPECT_EQ(o.recipients[i].dsn, "4.4.2");
  }
}

TEST(Outcome, LostAfterTheDot) {
  OutcomeBuilder builder(job_to({"a@x.test"}));
  builder.rcpt_answered(kOk);
  builder.connection_failed(
      {.stage = Stage::kDot, .reason = "x", .reply = {}, .mail_answered = true, .dot_sent = true});
  EXPECT_TRUE(builder.outcome().possible_duplicate);
  EXPECT_TRUE(builder.outcome().connection_lost);
}

TEST(Outcome, ATimeOutAnda421AreNoLoss) {
  OutcomeBuilder late(job_to({"a@x.test"}));
  late.connection_failed({.stage = Stage::kDot,
                          .reason = "end of DATA: timed out",
                          .reply = {},
                          .mail_answered = true,
                          .dot_sent = true,
                          .timed_out = true});
  EXPECT_FALSE(late.outcome().connection_lost);
  EXPECT_TRUE(late.outcome().possible_duplicate);

  OutcomeBuilder closed(job_to({"a@x.test"}));
  closed.connection_failed(
      {.stage = Stage::kContent, .reason = "x", .reply = Reply::make(421, "", "bye"), .mail_answered = true});
  EXPECT_FALSE(closed.outcome().connection_lost);
  EXPECT_EQ(closed.outcome().code, 421);
}

TEST(Outcome, A421AtRcptIsForAllThatFollow) {
  OutcomeBuilder builder(job_to({"a@x.test", "b@x.test", "c@x.test"}));
  builder.rcpt_answered(kUnknown);
  builder.rcpt_answered(kOk);
  builder.rcpt_answered(Reply::make(421, "4.3.2", "closing"));
  EXPECT_TRUE(builder.all_answered());
  EXPECT_FALSE(builder.any_accepted());
  const ipc::Outcome& o = builder.outcome();
  EXPECT_EQ(o.code, 421);
  EXPECT_EQ(o.stage, Stage::kRcpt);
  EXPECT_EQ(status_of(o, 0), RecipientStatus::kRefused);
  EXPECT_EQ(status_of(o, 1), RecipientStatus::kDeferred);
  EXPECT_EQ(o.recipients[2].reply, "421 4.3.2 closing");
  EXPECT_EQ(o.recipients[2].index, 2u);
}

TEST(Outcome, NoConnectionIsNeverFinal) {
  OutcomeBuilder builder(job_to({"a@x.test"}));
  builder.no_connection({.stage = Stage::kBanner,
                         .reply = Reply::make(554, "5.7.1", "no"),
                         .reason = "banner: 554 5.7.1 no",
                         .relay = "h[127.0.0.1]:25"});
  const ipc::Outcome& o = builder.outcome();
  EXPECT_EQ(o.stage, Stage::kBanner);
  EXPECT_EQ(o.code, 554);
  EXPECT_EQ(o.relay, "h[127.0.0.1]:25");
  EXPECT_EQ(status_of(o, 0), RecipientStatus::kDeferred);
  EXPECT_TRUE(o.recipients[0].own_words);
  EXPECT_EQ(o.recipients[0].reply, "banner: 554 5.7.1 no");
}

TEST(Outcome, ADamagedRecord) {
  OutcomeBuilder builder(job_to({"a@x.test"}));
  builder.damaged("checksum");
  EXPECT_TRUE(builder.outcome().damaged);
  EXPECT_EQ(builder.outcome().stage, Stage::kLocal);
  EXPECT_EQ(builder.outcome().recipients[0].dsn, "4.3.0");
  EXPECT_EQ(status_of(builder.outcome(), 0), RecipientStatus::kDeferred);
}

TEST(Outcome, WhatHasNoServerIsRefusedOrDeferred) {
  OutcomeBuilder never(test::job_to({"b@none.test"}));
  never.unroutable({.final = true, .dsn = "5.1.10", .text = "the domain none.test takes no mail (null MX)"});
  EXPECT_EQ(test::status_of(never.outcome(), 0), ipc::RecipientStatus::kRefused);
  EXPECT_EQ(never.outcome().recipients[0].dsn, "5.1.10");
  EXPECT_TRUE(never.outcome().recipients[0].own_words);
  EXPECT_EQ(never.outcome().relay, "none");
  EXPECT_EQ(never.outcome().stage, mail::Stage::kConnect) << "not local: it is a verdict on this message";

  OutcomeBuilder later(test::job_to({"b@lost.test"}));
  later.unroutable({.final = false, .dsn = "4.4.3", .text = "looking up the mail servers of lost.test failed"});
  EXPECT_EQ(test::status_of(later.outcome(), 0), ipc::RecipientStatus::kDeferred);
  EXPECT_EQ(later.outcome().recipients[0].dsn, "4.4.3");
}

std::optional<stats::Answer> answer_to(const std::function<void(OutcomeBuilder&)>& deed) {
  OutcomeBuilder builder(job_to({"a@x.test", "b@x.test"}));
  deed(builder);
  return answer_of(builder.outcome());
}

TEST(Outcome, TheDestinationsAnswerIsTheBestThatARecipientHeard) {
  using stats::Answer;
  EXPECT_EQ(answer_to([](auto& b) { b.rcpt_answered(kUnknown), b.rcpt_answered(kOk), b.dot_answered(kOk); }), Answer::kAccepted);
  EXPECT_EQ(answer_to([](auto& b) { b.rcpt_answered(kUnknown), b.rcpt_answered(kLater); }), Answer::kDeferred);
  EXPECT_EQ(answer_to([](auto& b) { b.rcpt_answered(kUnknown), b.rcpt_answered(kUnknown); }), Answer::kRefused);
  EXPECT_EQ(answer_to([](auto& b) { b.mail_refused(kLater); }), Answer::kDeferred);
  EXPECT_EQ(answer_to([](auto& b) { b.no_connection({.stage = Stage::kConnect, .reason = "connection refused"}); }), Answer::kFailed);
  EXPECT_EQ(answer_to([](auto& b) { b.connection_failed({.stage = Stage::kDot, .reason = "timed out"}); }), Answer::kFailed);
}

TEST(Outcome, WhatIsOursIsNoAnswerOfTheDestination) {
  EXPECT_EQ(answer_to([](auto& b) { b.damaged("checksum"); }), std::nullopt);
  EXPECT_EQ(answer_to([](auto& b) { b.filtered(ipc::RescanWord::kHold, "550 5.7.1 virus"); }), std::nullopt);
  EXPECT_EQ(answer_to([](auto& b) { b.unfit("5.6.7", "the server takes no SMTPUTF8"); }), std::nullopt);
}

}  // namespace
}  // namespace holdfast::deliver
