#include "qmgr/commands.h"

#include <future>
#include <set>

#include <sysexits.h>

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::qmgr {
namespace {

using storage::MessageState;
namespace test = storage::test;

ipc::Control control(std::string command, std::vector<std::string> words) {
  return {.command = std::move(command), .words = std::move(words), .user = "root"};
}

TEST(QueueCommand, IsParsed) {
  const auto ids = parse_queue_command(control("queue.retry", {"1A", "b2"}));
  ASSERT_TRUE(ids);
  EXPECT_EQ(ids->ids, (std::vector<mail::QueueId>{{0x1A}, {0xB2}}));
  const auto filter =
      parse_queue_command(control("queue.delete", {"--domain", "d.test", "--state", "held", "--dry-run"}));
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->verb, QueueVerb::kDelete);
  EXPECT_EQ(filter->filter.domain, "d.test");
  EXPECT_EQ(filter->filter.state, MessageState::kHeld);
  EXPECT_TRUE(filter->dry_run);
  EXPECT_TRUE(parse_queue_command(control("queue.hold", {"--all"})));
  const auto unfiltered = parse_queue_command(control("queue.release", {"--unfiltered", "--held-by", "filter: zip"}));
  ASSERT_TRUE(unfiltered);
  EXPECT_TRUE(unfiltered->filter.unfiltered);
  EXPECT_EQ(unfiltered->filter.held_by, "filter: zip");
}

TEST(QueueCommand, ExtendAndRerouteNeedTheirWord) {
  EXPECT_EQ(parse_queue_command(control("queue.extend", {"1", "--by", "3600"}))->by_ms, 3'600'000);
  EXPECT_EQ(parse_queue_command(control("queue.extend", {"--all", "--until", "1900000000"}))->until_ms,
            1'900'000'000'000);
  EXPECT_EQ(parse_queue_command(control("queue.reroute", {"--destination", "a", "--to", "b"}))->to, "b");
  for (const auto& words : std::vector<std::vector<std::string>>{{"1"},
                                                                 {"--by", "60"},
                                                                 {"1", "--by", "0"},
                                                                 {"1", "--by", "x"},
                                                                 {"1", "--by", "60", "--until", "1900000000"},
                                                                 {"1", "--to", "b"}}) {
    EXPECT_FALSE(parse_queue_command(control("queue.extend", words)));
  }
  EXPECT_FALSE(parse_queue_command(control("queue.reroute", {"1"})));
  EXPECT_FALSE(parse_queue_command(control("queue.delete", {"1", "--to", "b"})));
}

TEST(QueueCommand, ChoosesNothingByAccident) {
  for (const auto& words : std::vector<std::vector<std::string>>{{},
                                                                 {"--dry-run"},
                                                                 {"xyz"},
                                                                 {"--sender"},
                                                                 {"--sender", ""},
                                                                 {"--colour", "red"},
                                                                 {"--state", "sad"},
                                                                 {"1", "--all"},
                                                                 {"0"},
                                                                 {"--destination", std::string(401, 'x')}}) {
    const auto parsed = parse_queue_command(control("queue.delete", words));
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().kind, base::Kind::kUsage);
  }
  EXPECT_FALSE(parse_queue_command(control("queue.eat", {"--all"})));
}

class CommandsTest : public testing::Test {
 protected:
  void SetUp() override {
    index_ = std::move(*storage::QueueIndex::open(folder_.path(), test::kSmallEnv));
    auto txn = storage::WriteTxn::begin(index_->env());
    for (std::uint64_t id = 1; id <= 1200; ++id) {
      storage::MessageRow row;
      row.destination = "office";
      row.sender = id % 2 == 0 ? "even@x.test" : "odd@x.test";
      row.arrival_ms = static_cast<std::int64_t>(id);
      row.due_ms = 1'000'000'000'000'000;
      ASSERT_TRUE(
          index_->add(**txn, {id}, row, {storage::RecipientState{.address = "r@d.test", .reply = {}, .dsn = {}}}));
    }
    ASSERT_TRUE((*txn)->commit());
    writer_ = std::make_unique<storage::BatchWriter>(index_->env(),
                                                     storage::BatchWriter::Options{.interval = base::Millis(0)},
                                                     storage::BatchWriter::Hooks{.committed =
                                                                                     [](auto dones) {
                                                                                       for (auto& d : dones) d();
                                                                                     },
                                                                                 .health = {}});
    commands_ = std::make_unique<Commands>(
        *index_, *writer_,
        Commands::Hooks{
            .removed = [this](mail::QueueId) { ++removed_; },
            .changed = [this] { ++changed_; },
            .claim = [this](mail::QueueId id) { return !in_flight_.contains(id) && claimed_.insert(id).second; },
            .unclaim = [this](mail::QueueId id) { claimed_.erase(id); },
            .lifetime =
                [](const std::string& name) {
                  return name == "other" ? std::optional(base::Seconds{3600}) : std::nullopt;
                }});
  }
  ipc::ControlReply run(std::string command, std::vector<std::string> words) {
    std::promise<ipc::ControlReply> answer;
    commands_->run(control(std::move(command), std::move(words)),
                   [&](ipc::ControlReply r) { answer.set_value(std::move(r)); });
    return answer.get_future().get();
  }
  // A message as the test wants it, in place of the one that is there.
  void put(std::uint64_t id, storage::MessageRow row, std::vector<storage::RecipientState> recipients) {
    auto txn = storage::WriteTxn::begin(index_->env());
    ASSERT_TRUE(index_->remove(**txn, {id}));
    ASSERT_TRUE(index_->add(**txn, {id}, row, recipients));
    ASSERT_TRUE((*txn)->commit());
  }
  storage::MessageRow row(std::uint64_t id) {
    storage::ReadTxn txn(index_->env());
    const storage::ReadTxn::View view(txn);
    return *index_->message(txn, {id});
  }
  std::vector<storage::RecipientState> recipients(std::uint64_t id) {
    storage::ReadTxn txn(index_->env());
    const storage::ReadTxn::View view(txn);
    return index_->recipients(txn, {id});
  }
  bool owes(std::uint64_t id) {
    storage::ReadTxn txn(index_->env());
    const storage::ReadTxn::View view(txn);
    return index_->owes(txn, {id});
  }
  storage::Counter counter() {
    storage::ReadTxn txn(index_->env());
    const storage::ReadTxn::View view(txn);
    return index_->counter(txn, "");
  }

  test::Folder folder_;
  std::unique_ptr<storage::QueueIndex> index_;
  std::unique_ptr<storage::BatchWriter> writer_;
  std::unique_ptr<Commands> commands_;
  std::atomic<int> removed_{0}, changed_{0};
  std::set<mail::QueueId> in_flight_, claimed_;
};

storage::MessageRow plain(std::string sender, MessageState state = MessageState::kDeferred) {
  storage::MessageRow row;
  row.sender = std::move(sender);
  row.destination = "office";
  row.state = state;
  row.arrival_ms = row.due_ms = 5;
  row.open = 1;
  return row;
}

storage::RecipientState to(std::string address, storage::RecipientStatus status, std::string reply = {}) {
  return {.address = std::move(address), .status = status, .reply = std::move(reply), .dsn = {}};
}

TEST_F(CommandsTest, HoldAndReleaseAll) {
  EXPECT_EQ(run("queue.hold", {"--all"}).json, "{\"changed\":1200}");
  EXPECT_EQ(counter().held, 1200U);
  EXPECT_EQ(run("queue.hold", {"--all"}).json, "{\"changed\":0}");
  EXPECT_EQ(run("queue.retry", {"--all"}).json, "{\"changed\":0}") << "held mail is released, not retried";
  EXPECT_EQ(run("queue.release", {"--sender", "odd@x.test"}).json, "{\"changed\":600}");
  EXPECT_EQ(counter().deferred, 600U);
}

TEST_F(CommandsTest, DeletesByFilterPageByPage) {
  EXPECT_EQ(run("queue.delete", {"--sender", "even@x.test", "--dry-run"}).json, "{\"changed\":600}");
  EXPECT_EQ(counter().messages(), 1200U);
  EXPECT_EQ(changed_, 0);
  EXPECT_EQ(run("queue.delete", {"--sender", "even@x.test"}).json, "{\"changed\":600}");
  EXPECT_EQ(counter().messages(), 600U);
  EXPECT_EQ(removed_, 600);
  EXPECT_EQ(changed_, 1);
}

TEST_F(CommandsTest, RetryMakesDueNow) {
  EXPECT_EQ(run("queue.retry", {"1", "2"}).json, "{\"changed\":2}");
  storage::ReadTxn txn(index_->env());
  const storage::ReadTxn::View view(txn);
  EXPECT_LE(index_->message(txn, {1})->due_ms, base::to_millis(base::wall_now()));
  EXPECT_GT(index_->message(txn, {3})->due_ms, base::to_millis(base::wall_now()));
}

TEST_F(CommandsTest, UnknownIdsAreNamedAndTheOthersChanged) {
  const auto reply = run("queue.delete", {"1", "FFFF"});
  EXPECT_EQ(reply.exit, EX_NOUSER);
  EXPECT_EQ(reply.json, "{\"changed\":1}");
  EXPECT_EQ(reply.text, "not in the queue: FFFF");
  EXPECT_EQ(run("queue.delete", {}).exit, EX_USAGE);
}

TEST_F(CommandsTest, BounceGivesUpWhatIsOpenAndOwesTheSender) {
  using enum storage::RecipientStatus;
  put(1, plain("s@x.test"),
      {to("a@d.test", kSent, "250 ok"), to("b@d.test", kOpen, "451 later"), to("c@d.test", kOpen)});
  EXPECT_EQ(run("queue.bounce", {"1"}).json, "{\"changed\":1}");
  const auto now = recipients(1);
  EXPECT_EQ(now[0].status, kSent);
  EXPECT_EQ(now[0].reply, "250 ok");
  EXPECT_EQ(now[1].status, kRefused);
  EXPECT_EQ(now[1].reply, "given up by the administrator; the last answer was: 451 later");
  EXPECT_EQ(now[2].status, kRefused);
  EXPECT_EQ(now[2].dsn, "5.0.0");
  EXPECT_TRUE(owes(1));
  EXPECT_EQ(run("queue.bounce", {"1"}).json, "{\"changed\":0}") << "never twice";
  EXPECT_TRUE(claimed_.empty());
}

TEST_F(CommandsTest, BounceOfMailThatWasHeldBecauseOfItsRefusal) {
  using enum storage::RecipientStatus;
  auto withheld = to("a@d.test", kRefused, "550 5.7.1 spam");
  withheld.withheld = true;
  put(1, plain("s@x.test", MessageState::kHeld), {withheld});
  EXPECT_EQ(run("queue.bounce", {"1"}).json, "{\"changed\":1}");
  EXPECT_FALSE(recipients(1)[0].withheld);
  EXPECT_EQ(recipients(1)[0].reply, "550 5.7.1 spam");
  EXPECT_TRUE(owes(1));
}

TEST_F(CommandsTest, NobodyIsToldOfMailFromTheNullSender) {
  put(1, plain(""), {to("a@d.test", storage::RecipientStatus::kOpen)});
  const auto named = run("queue.bounce", {"1", "2"});
  EXPECT_EQ(named.exit, EX_DATAERR);
  EXPECT_EQ(named.json, "{\"changed\":1,\"null_sender\":1}");
  EXPECT_NE(named.text.find("null sender"), std::string::npos);
  EXPECT_FALSE(owes(1));
  const auto filtered = run("queue.bounce", {"--sender", "<>"});
  EXPECT_EQ(filtered.exit, 0) << "of many, some cannot be bounced: no error";
  EXPECT_EQ(filtered.json, "{\"changed\":0,\"null_sender\":1}");
}

TEST_F(CommandsTest, WhatIsBeingHandedOverIsNotBouncedOrRerouted) {
  in_flight_ = {{1}};
  const auto reply = run("queue.bounce", {"1", "2"});
  EXPECT_EQ(reply.exit, EX_TEMPFAIL);
  EXPECT_EQ(reply.json, "{\"changed\":1,\"busy\":1}");
  EXPECT_FALSE(owes(1));
  EXPECT_TRUE(owes(2));
  EXPECT_EQ(run("queue.reroute", {"1", "--to", "other"}).exit, EX_TEMPFAIL);
  EXPECT_EQ(run("queue.bounce", {"1", "--dry-run"}).json, "{\"changed\":1}");
  EXPECT_EQ(run("queue.hold", {"1"}).json, "{\"changed\":1}") << "counts from its outcome on";
  EXPECT_TRUE(claimed_.empty());
}

TEST_F(CommandsTest, ThawTriesAgainAndGivesTime) {
  using enum storage::RecipientStatus;
  auto frozen = plain("", MessageState::kFrozen);
  frozen.discard_ms = frozen.expires_ms = 1000;
  put(1, frozen, {to("a@d.test", kRefused, "550 no")});
  EXPECT_EQ(run("queue.retry", {"--all", "--dry-run"}).json, "{\"changed\":1199}")
      << "retry --all is not meant for the frozen";
  EXPECT_EQ(run("queue.thaw", {"--all"}).json, "{\"changed\":1}");
  const auto now = base::to_millis(base::wall_now());
  EXPECT_EQ(row(1).state, MessageState::kDeferred);
  EXPECT_EQ(row(1).discard_ms, 0);
  EXPECT_LE(row(1).due_ms, now);
  EXPECT_GT(row(1).expires_ms, now) << "its attempt comes before its end";
  EXPECT_EQ(recipients(1)[0].status, kOpen);
  put(2, frozen, {to("a@d.test", kRefused, "550 no")});
  EXPECT_EQ(run("queue.retry", {"2"}).json, "{\"changed\":1}") << "by its id it is";
}

TEST_F(CommandsTest, ReleaseLeavesAloneWhoIsToBeReported) {
  using enum storage::RecipientStatus;
  put(1, plain("s@x.test", MessageState::kHeld), {to("a@d.test", kOpen)});
  EXPECT_EQ(run("queue.bounce", {"1"}).json, "{\"changed\":1}");
  EXPECT_EQ(run("queue.release", {"1"}).json, "{\"changed\":1}");
  EXPECT_EQ(recipients(1)[0].status, kRefused);
  EXPECT_TRUE(owes(1));
}

TEST_F(CommandsTest, ExtendMovesTheEndAndNeverShortens) {
  const auto now = base::to_millis(base::wall_now());
  auto old = plain("s@x.test");
  old.expires_ms = now + 1000;
  for (const std::uint64_t id : {1, 2}) put(id, old, {to("a@d.test", storage::RecipientStatus::kOpen)});
  EXPECT_EQ(run("queue.extend", {"1", "--by", "7200"}).json, "{\"changed\":1}");
  EXPECT_EQ(row(1).expires_ms, now + 1000 + 7'200'000);
  const auto hour = std::to_string(now / 1000 + 3600);
  EXPECT_EQ(run("queue.extend", {"1", "2", "--until", hour}).json, "{\"changed\":1}");
  EXPECT_EQ(row(1).expires_ms, now + 1000 + 7'200'000);
  EXPECT_EQ(row(2).expires_ms, (now / 1000 + 3600) * 1000);
  EXPECT_EQ(run("queue.extend", {"2", "--until", "1000"}).exit, EX_USAGE) << "that time has passed";
  EXPECT_EQ(run("queue.hold", {"2"}).json, "{\"changed\":1}");
  EXPECT_EQ(run("queue.extend", {"2", "--by", "60"}).json, "{\"changed\":0}") << "held mail does not expire";
  EXPECT_EQ(run("queue.extend", {"3", "--by", "60"}).json, "{\"changed\":0}") << "it never expires";
}

TEST_F(CommandsTest, RerouteChangesTheDestination) {
  EXPECT_EQ(run("queue.reroute", {"--all", "--to", "nowhere"}).exit, EX_NOUSER);
  EXPECT_EQ(run("queue.reroute", {"--sender", "odd@x.test", "--to", "other"}).json, "{\"changed\":600}");
  EXPECT_EQ(row(1).destination, "other");
  EXPECT_GT(row(1).expires_ms, base::to_millis(base::wall_now())) << "older than the new lifetime, it gets some time";
  EXPECT_EQ(row(2).destination, "office");
  storage::ReadTxn txn(index_->env());
  const storage::ReadTxn::View view(txn);
  EXPECT_EQ(index_->counter(txn, "other").deferred, 600U);
  EXPECT_EQ(index_->counter(txn, "office").deferred, 600U);
}

}  // namespace
}  // namespace holdfast::qmgr
