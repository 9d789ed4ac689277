#include "deliver/ledger.h"

#include <gtest/gtest.h>

#include "common/base/codec.h"
#include "deliver/outcome.h"
#include "tests/unit/deliver/jobs.h"

namespace holdfast::deliver {
namespace {

using test::job_to;
using Begin = Ledger::Begin;

ipc::Outcome outcome_of(const ipc::Job& job) {
  OutcomeBuilder builder(job);
  builder.local_failure("x");
  return builder.outcome();
}

TEST(Ledger, AMessageIsNeverRunTwiceAtOnce) {
  Ledger ledger;
  ipc::Job job = job_to({"a@x.test"});
  EXPECT_EQ(ledger.begin(job), Begin::kNow);
  EXPECT_EQ(ledger.begin(job), Begin::kRuns);
  job.attempt = 2;
  EXPECT_EQ(ledger.begin(job), Begin::kRuns);
  EXPECT_EQ(ledger.begin(job_to({"a@x.test"}, 7)), Begin::kNow);
  EXPECT_EQ(ledger.running(), 2u);
}

TEST(Ledger, AnAttemptWhoseOutcomeIsOnItsWayIsNotRepeated) {
  Ledger ledger;
  ipc::Job job = job_to({"a@x.test"});
  ASSERT_EQ(ledger.begin(job), Begin::kNow);
  ledger.end(outcome_of(job));
  ASSERT_EQ(ledger.begin(job), Begin::kEnded);
  EXPECT_EQ(ledger.outcome(job).queue_id, job.queue_id);
  job.attempt = 2;  // the next attempt is another matter
  EXPECT_EQ(ledger.begin(job), Begin::kNow);
}

TEST(Ledger, AnOutcomeIsKeptUntilItIsCommitted) {
  Ledger ledger;
  const ipc::Job job = job_to({"a@x.test"});
  ASSERT_EQ(ledger.begin(job), Begin::kNow);
  ASSERT_EQ(ledger.hello().running.size(), 1u);
  EXPECT_EQ(ledger.hello().running[0].queue_id, job.queue_id);
  EXPECT_EQ(ledger.hello().running[0].attempt, 1u);
  ledger.end(outcome_of(job));
  EXPECT_TRUE(ledger.hello().running.empty());
  ASSERT_EQ(ledger.hello().outcomes.size(), 1u);
  EXPECT_EQ(ledger.hello().outcomes[0].queue_id, job.queue_id);
  ledger.committed({.queue_id = job.queue_id, .attempt = 2});
  EXPECT_EQ(ledger.outcomes(), 1u);
  ledger.committed({.queue_id = job.queue_id, .attempt = 1});
  EXPECT_EQ(ledger.outcomes(), 0u);
}

TEST(Ledger, AHelloAlwaysFitsIntoAFrame) {
  Ledger ledger;
  const std::vector<std::string> many(1000, "a@x.test");
  for (std::uint64_t id = 1; id <= 50; ++id) {
    const ipc::Job job = job_to(many, id);
    ASSERT_EQ(ledger.begin(job), Begin::kNow);
    OutcomeBuilder builder(job);
    for (std::size_t i = 0; i < many.size(); ++i) {
      builder.rcpt_answered(mail::Reply::make(550, "5.1.1", std::string(20'000, 'x')));
    }
    ledger.end(builder.outcome());
  }
  const std::string frame = base::encode(ledger.hello());
  EXPECT_LT(frame.size(), std::size_t{16} << 20);
  EXPECT_GT(ledger.hello().outcomes[0].recipients[0].reply.size(), 50u);
}

TEST(Ledger, AForgottenJobMayComeAgain) {
  Ledger ledger;
  const ipc::Job job = job_to({"a@x.test"});
  ASSERT_EQ(ledger.begin(job), Begin::kNow);
  ledger.forget(job.queue_id);
  EXPECT_TRUE(ledger.hello().running.empty());
  EXPECT_EQ(ledger.begin(job), Begin::kNow);
}

}  // namespace
}  // namespace holdfast::deliver
