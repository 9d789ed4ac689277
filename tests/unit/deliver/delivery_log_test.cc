#include "deliver/delivery_log.h"

#include <gtest/gtest.h>

#include "deliver/outcome.h"
#include "tests/unit/deliver/jobs.h"

namespace holdfast::deliver {
namespace {

using mail::Reply;
using test::job_to;

const mail::events::Delays kDelays{1, 0, 0, 1};

bool has(const std::string& line, std::string_view part) { return line.find(part) != std::string::npos; }

TEST(DeliveryLog, DelaysAreCountedFromTheArrival) {
  const ipc::Job job = job_to({"a@x.test"});  // arrived at 1000 s, due at 1060 s
  const auto delays = delays_of(job, base::from_millis(1'062'000), base::Millis{300}, base::Millis{1500});
  EXPECT_EQ(delays, (mail::events::Delays{60.0, 2.0, 0.3, 1.5}));
}

TEST(DeliveryLog, AClockThatWentBackGivesNoNegativeDelay) {
  const auto delays = delays_of(job_to({"a@x.test"}), base::from_millis(500'000), base::Millis{0}, base::Millis{0});
  EXPECT_EQ(delays[1], 0.0);
}

TEST(DeliveryLog, ALineARecipient) {
  const ipc::Job job = job_to({"a@x.test", "b@x.test", "c@x.test"});
  OutcomeBuilder builder(job);
  builder.on_relay("h[127.0.0.1]:25");
  builder.rcpt_answered(Reply::make(250, "2.1.5", "Ok"));
  builder.rcpt_answered(Reply::make(550, "5.1.1", "no such user"));
  builder.rcpt_answered(Reply::make(451, "4.3.0", "later"));
  builder.dot_answered(Reply::make(250, "2.0.0", "taken"));
  const auto lines = lines_of(job, builder.outcome(), kDelays);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(has(lines[0], "10000000001: to=<a@x.test>, relay=h[127.0.0.1]:25, delay=2")) << lines[0];
  EXPECT_TRUE(has(lines[0], "dsn=2.0.0, status=sent (250 2.0.0 taken)")) << lines[0];
  EXPECT_TRUE(has(lines[1], "dsn=5.1.1, status=refused (550 5.1.1 no such user)")) << lines[1];
  EXPECT_TRUE(has(lines[2], "dsn=4.3.0, status=deferred")) << lines[2];
}

TEST(DeliveryLog, APossibleDuplicateIsSaid) {
  const ipc::Job job = job_to({"a@x.test"});
  OutcomeBuilder builder(job);
  builder.rcpt_answered(Reply::make(250, "", "Ok"));
  builder.connection_failed(
      {.stage = mail::Stage::kDot, .reason = "gone", .reply = {}, .mail_answered = true, .dot_sent = true});
  EXPECT_EQ(lines_of(job, builder.outcome(), kDelays).size(), 2u);
}

}  // namespace
}  // namespace holdfast::deliver
