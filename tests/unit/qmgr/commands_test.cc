#include "qmgr/commands.h"

#include <future>

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
  const auto filter = parse_queue_command(control("queue.delete", {"--domain", "d.test", "--state", "held", "--dry-run"}));
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->verb, QueueVerb::kDelete);
  EXPECT_EQ(filter->filter.domain, "d.test");
  EXPECT_EQ(filter->filter.state, MessageState::kHeld);
  EXPECT_TRUE(filter->dry_run);
  EXPECT_TRUE(parse_queue_command(control("queue.hold", {"--all"})));
}

TEST(QueueCommand, ChoosesNothingByAccident) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {}, {"--dry-run"}, {"xyz"}, {"--sender"}, {"--sender", ""}, {"--colour", "red"}, {"--state", "sad"}, {"1", "--all"}, {"0"}}) {
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
      ASSERT_TRUE(index_->add(**txn, {id}, row, {storage::RecipientState{.address = "r@d.test", .reply = {}, .dsn = {}}}));
    }
    ASSERT_TRUE((*txn)->commit());
    writer_ = std::make_unique<storage::BatchWriter>(
        index_->env(), storage::BatchWriter::Options{.interval = base::Millis(0)},
        storage::BatchWriter::Hooks{.committed = [](auto dones) { for (auto& d : dones) d(); }, .health = {}});
    commands_ = std::make_unique<Commands>(*index_, *writer_,
                                           Commands::Hooks{.removed = [this](mail::QueueId) { ++removed_; },
                                                           .changed = [this] { ++changed_; }});
  }
  ipc::ControlReply run(std::string command, std::vector<std::string> words) {
    std::promise<ipc::ControlReply> answer;
    commands_->run(control(std::move(command), std::move(words)), [&](ipc::ControlReply r) { answer.set_value(std::move(r)); });
    return answer.get_future().get();
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
};

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

}  // namespace
}  // namespace holdfast::qmgr
