#include "qmgr/couriers.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>

#include <gtest/gtest.h>

#include "common/base/file.h"
#include "tests/unit/storage/support.h"

namespace holdfast::qmgr {
namespace {

using mail::QueueId;

class FakeChannel final : public ipc::Channel {
 public:
  explicit FakeChannel(std::uint32_t worker) {
    hello_.name = "deliver";
    hello_.worker = worker;
  }
  void send_frame(ipc::Type type, std::string_view body) override { sent.emplace_back(type, body); }
  const ipc::Hello& peer() const override { return hello_; }
  std::size_t unsent() const override { return unsent_bytes; }
  void close() override {}

  std::vector<std::pair<ipc::Type, std::string>> sent;
  std::size_t unsent_bytes = 0;

 private:
  ipc::Hello hello_;
};

class CouriersTest : public testing::Test {
 protected:
  base::UniqueFd lock(int worker) {
    std::filesystem::create_directories(folder_.path() + "/locks");
    const auto path = folder_.path() + "/locks/deliver." + std::to_string(worker) + ".lock";
    base::UniqueFd fd(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    base::expect(::flock(fd.get(), LOCK_EX | LOCK_NB) == 0, "lock");
    return fd;
  }
  // Runs the loop until the couriers say that something changed.
  void wait_for_change() {
    on_changed_ = [this] { loop_.stop(); };
    loop_.run();
    on_changed_ = {};
  }
  static ipc::Job job(std::uint64_t id) {
    ipc::Job j;
    j.queue_id = id;
    return j;
  }
  static ipc::DeliverHello hello(std::vector<std::uint64_t> running, std::vector<std::uint64_t> outcomes = {}) {
    ipc::DeliverHello h;
    for (const auto id : running) h.running.push_back({.queue_id = id, .attempt = 1, .destination = "office"});
    for (const auto id : outcomes) {
      ipc::Outcome o;
      o.queue_id = id;
      h.outcomes.push_back(o);
    }
    return h;
  }

  storage::test::Folder folder_;
  net::Loop loop_;
  std::vector<std::uint64_t> lost_, running_, outcomes_;
  std::function<void()> on_changed_;
  Couriers couriers_{loop_,
                     folder_.path(),
                     {.outcome = [this](std::uint32_t, const ipc::Outcome& o) { outcomes_.push_back(o.queue_id); },
                      .running = [this](const ipc::RunningJob& j) { running_.push_back(j.queue_id); },
                      .lost =
                          [this](const std::vector<QueueId>& ids) {
                            for (auto id : ids) lost_.push_back(id.value);
                          },
                      .changed =
                          [this] {
                            if (on_changed_) on_changed_();
                          }}};
};

using Ids = std::vector<std::uint64_t>;

TEST_F(CouriersTest, NobodyLivedNobodyIsAwaited) {
  { const auto dead = lock(0); }
  ASSERT_TRUE(couriers_.start());
  EXPECT_TRUE(couriers_.complete());
  EXPECT_EQ(couriers_.least_busy(), std::nullopt);
}

TEST_F(CouriersTest, WaitsForTheHelloOfWhoeverLives) {
  const auto alive = lock(1);
  ASSERT_TRUE(couriers_.start());
  EXPECT_FALSE(couriers_.complete());
  FakeChannel other(0), channel(1);
  couriers_.hello(other, hello({}));
  EXPECT_FALSE(couriers_.complete());
  couriers_.hello(channel, hello({7}, {8}));
  EXPECT_TRUE(couriers_.complete());
  EXPECT_EQ(running_, Ids{7});
  EXPECT_EQ(outcomes_, Ids{8});
}

TEST_F(CouriersTest, OrForItsDeath) {
  auto alive = lock(1);
  ASSERT_TRUE(couriers_.start());
  alive.reset();
  wait_for_change();
  EXPECT_TRUE(couriers_.complete());
}

// Descriptors that run out must not make the living dead: what they hand over would be handed over twice.
TEST_F(CouriersTest, WhoCannotBeLookedAtMayLive) {
  const auto alive = lock(0);
  FakeChannel a(0);
  couriers_.hello(a, hello({}));
  couriers_.hand(0, job(1));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  EXPECT_FALSE(couriers_.start()) << "nobody knows who lives";
  couriers_.gone(a);
  on_changed_ = [this] { loop_.stop(); };
  net::Timer enough(loop_, [this] { loop_.stop(); });
  enough.start(base::Millis(600));  // three looks
  loop_.run();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(lost_.empty());
  EXPECT_TRUE(couriers_.runs(0, {1}));
}

TEST_F(CouriersTest, JobsGoToTheLeastBusy) {
  FakeChannel a(0), b(1);
  couriers_.hello(a, hello({}));
  couriers_.hello(b, hello({}));
  couriers_.hand(*couriers_.least_busy(), job(1));
  EXPECT_EQ(couriers_.least_busy(), 1U);
  couriers_.hand(1, job(2));
  couriers_.hand(1, job(3));
  EXPECT_EQ(couriers_.least_busy(), 0U);
  couriers_.finished(1, {2});
  couriers_.finished(1, {3});
  EXPECT_EQ(couriers_.least_busy(), 1U);
  b.unsent_bytes = 8 << 20;
  EXPECT_EQ(couriers_.least_busy(), 0U) << "the other does not read";
}

TEST_F(CouriersTest, JobsOfTheDeadAreLostThoseOfTheDisconnectedAreNot) {
  auto alive = lock(0);
  FakeChannel a(0);
  couriers_.hello(a, hello({}));
  couriers_.hand(0, job(1));
  couriers_.gone(a);
  EXPECT_TRUE(lost_.empty());
  EXPECT_TRUE(couriers_.runs(0, {1}));
  alive.reset();
  wait_for_change();
  EXPECT_EQ(lost_, Ids{1});
}

TEST_F(CouriersTest, OnReconnectingItSaysWhatItHas) {
  const auto alive = lock(0);
  FakeChannel a(0), again(0);
  couriers_.hello(a, hello({}));
  for (std::uint64_t id = 1; id <= 3; ++id) couriers_.hand(0, job(id));
  couriers_.gone(a);
  couriers_.hello(again, hello({1}, {2}));
  EXPECT_EQ(running_, Ids{}) << "we knew";
  EXPECT_EQ(outcomes_, Ids{2});
  EXPECT_EQ(lost_, Ids{3}) << "never arrived";
  EXPECT_TRUE(couriers_.runs(0, {2})) << "its outcome is judged as its own";
}

TEST_F(CouriersTest, OutcomesAreAcknowledgedToWhoeverIsThatWorkerNow) {
  FakeChannel a(0), again(0);
  couriers_.hello(a, hello({}));
  couriers_.gone(a);
  couriers_.committed(0, {1}, 1);
  couriers_.hello(again, hello({}));
  couriers_.committed(0, {1}, 1);
  EXPECT_TRUE(a.sent.empty());
  ASSERT_EQ(again.sent.size(), 1U);
  EXPECT_EQ(again.sent[0].first, ipc::Type::kOutcomeCommitted);
}

TEST_F(CouriersTest, AnOutcomeBeforeTheHelloIsRefused) {
  FakeChannel a(0);
  EXPECT_FALSE(couriers_.outcome(a, {}));
}

}  // namespace
}  // namespace holdfast::qmgr
