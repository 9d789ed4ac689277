#include "qmgr/room.h"

#include <gtest/gtest.h>

#include "tests/unit/storage/filled_index.h"

namespace holdfast::qmgr {
namespace {

namespace test = storage::test;

// What is told to one smtpd.
class Listener final : public ipc::Channel {
 public:
  void send_frame(ipc::Type, std::string_view body) override { told.push_back(*base::decode<ipc::QueueRoom>(body)); }
  const ipc::Hello& peer() const override { return hello_; }
  std::size_t unsent() const override { return waiting; }
  void close() override {}

  std::vector<ipc::QueueRoom> told;
  std::size_t waiting = 0;

 private:
  ipc::Hello hello_;
};

class QmgrRoomTest : public testing::Test {
 protected:
  void SetUp() override { index_ = std::move(*storage::QueueIndex::open(folder_.path(), test::kSmallEnv)); }
  static config::ConfigPtr config(config::Quota all, config::Quota a_test) {
    config::Config c;
    c.quota = all;
    c.domains["a.test"] = {.name = "a.test", .quota = a_test};
    c.domains["b.test"] = {.name = "b.test"};
    return std::make_shared<const config::Config>(std::move(c));
  }
  void remove(std::uint64_t n) {
    auto txn = storage::WriteTxn::begin(index_->env());
    ASSERT_TRUE(index_->remove(**txn, {n * 1000}) && (*txn)->commit());
  }

  test::Folder folder_;
  std::unique_ptr<storage::QueueIndex> index_;
};

TEST_F(QmgrRoomTest, TellsWhatIsLeftOfEveryQuota) {
  test::fill(*index_, 1, 4);  // of 501, 502, 503, 504 bytes, all to a.test
  Room room(*index_, config({.messages = 10, .bytes = 0}, {.messages = 3, .bytes = 5000}));
  Listener smtpd;
  room.joined(smtpd);
  ASSERT_EQ(smtpd.told.size(), 1U);
  ASSERT_EQ(smtpd.told[0].left.size(), 2U) << "b.test has none";
  EXPECT_EQ(smtpd.told[0].left[0], (ipc::RoomLeft{.domain = "", .messages = 6, .bytes = ~0ULL}));
  EXPECT_EQ(smtpd.told[0].left[1], (ipc::RoomLeft{.domain = "a.test", .messages = 0, .bytes = 5000 - 2010}));
}

TEST_F(QmgrRoomTest, TellsChangesOnly) {
  test::fill(*index_, 1, 2);
  Room room(*index_, config({.messages = 10, .bytes = 0}, {}));
  Listener smtpd;
  room.joined(smtpd);
  room.look();
  EXPECT_EQ(smtpd.told.size(), 1U);
  remove(1);
  room.look();
  ASSERT_EQ(smtpd.told.size(), 2U);
  EXPECT_EQ(smtpd.told[1].left[0].messages, 9U);
  room.configure(config({}, {}));
  ASSERT_EQ(smtpd.told.size(), 3U);
  EXPECT_TRUE(smtpd.told[2].left.empty()) << "no bound any more";
  room.gone(smtpd);
  room.configure(config({.messages = 1, .bytes = 0}, {}));
  EXPECT_EQ(smtpd.told.size(), 3U);
}

TEST_F(QmgrRoomTest, WhoDoesNotReadHearsTheNewestLater) {
  test::fill(*index_, 1, 3);
  Room room(*index_, config({.messages = 10, .bytes = 0}, {}));
  Listener smtpd;
  room.joined(smtpd);
  smtpd.waiting = 1 << 20;
  for (std::uint64_t n = 1; n <= 2; ++n) {
    remove(n);
    room.look();
  }
  EXPECT_EQ(smtpd.told.size(), 1U);
  smtpd.waiting = 0;
  room.tick(base::Mono{base::Seconds{5}});
  room.tick(base::Mono{base::Seconds{6}});
  ASSERT_EQ(smtpd.told.size(), 2U);
  EXPECT_EQ(smtpd.told[1].left[0].messages, 9U);
}

TEST_F(QmgrRoomTest, AnIndexThatIsNearlyFullTakesNothing) {
  index_.reset();
  index_ = std::move(*storage::QueueIndex::open(folder_.path(), {.map_bytes = 4 << 20}));
  const auto unbound = config({}, {});
  const auto left = [&] {
    storage::ReadTxn txn(index_->env());
    const storage::ReadTxn::View view(txn);
    return room_left(*index_, txn, *unbound).left;
  };
  EXPECT_TRUE(left().empty());
  for (std::uint64_t n = 1; left().empty(); n += 16) {
    ASSERT_LT(n, 20'000U);
    test::fill(*index_, n, n + 15);
  }
  EXPECT_EQ(left()[0], (ipc::RoomLeft{.domain = "", .messages = 0, .bytes = 0}));
}

}  // namespace
}  // namespace holdfast::qmgr
