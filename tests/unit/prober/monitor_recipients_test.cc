#include "tests/unit/prober/monitor_fixture.h"

namespace holdfast::prober {
namespace {

using MonitorRecipientsTest = MonitorTest;

TEST_F(MonitorRecipientsTest, FindsCatchAllsDaily) {
  watch();
  ASSERT_TRUE(bench.until([&] { return catch_all() == CatchAll::kNo; }));
  const auto random = std::ranges::count_if(asked, [](const auto& a) { return a.starts_with("probe-"); });
  ASSERT_TRUE(probed_again(2));
  EXPECT_EQ(random, std::ranges::count_if(asked, [](const auto& a) { return a.starts_with("probe-"); }));
}

TEST_F(MonitorRecipientsTest, ACatchAllIsFoundOut) {
  learnt("anna@example.test");  // before anybody had tested
  accepts = {"*"};
  watch();
  ASSERT_TRUE(bench.until([&] { return catch_all() == CatchAll::kYes; }));
  EXPECT_FALSE(recipient("anna@example.test"));
}

TEST_F(MonitorRecipientsTest, AServerThatTakesEverythingForADayCostsNoKnowledge) {
  learnt("anna@example.test");
  const std::int64_t yesterday = base::to_millis(base::wall_now()) - 25 * kHour;
  store->submit([=](storage::Directory& d, storage::WriteTxn& txn) {
    return d.put_domain(
        txn, "example.test",
        {.destination = "office", .catch_all = CatchAll::kNo, .catch_all_tested_ms = yesterday, .coverage = {}});
  });
  ASSERT_TRUE(bench.until([&] { return catch_all() == CatchAll::kNo; }));
  accepts = {"*"};
  watch();
  ASSERT_TRUE(bench.until([&] { return catch_all() == CatchAll::kYes; }));
  EXPECT_TRUE(recipient("anna@example.test"));
}

TEST_F(MonitorRecipientsTest, ForgetsOnlyByItsOwnSecondRefusal) {
  learnt("anna@example.test");
  learnt("bert@example.test");
  accepts = {"postmaster", "bert"};
  watch();
  ASSERT_TRUE(probed_again());
  monitor->refused(
      {.destination = "office", .key = "anna@example.test", .address = "Anna@example.test", .reply = "550 5.1.1"});
  ASSERT_TRUE(bench.until([&] { return recipient("anna@example.test")->refused_ms != 0; }));
  EXPECT_EQ(recipient("bert@example.test")->refused_ms, 0);
  // Ten minutes later, after a restart.
  learnt("anna@example.test", base::to_millis(base::wall_now()) - kHour);
  restart();
  monitor->restore_suspicion("anna@example.test", base::wall_now() - std::chrono::hours(1));
  ASSERT_TRUE(bench.until([&] { return !recipient("anna@example.test"); }));
  EXPECT_TRUE(recipient("bert@example.test"));
  EXPECT_EQ(told.back().state, kUp);
}

TEST_F(MonitorRecipientsTest, AClientsRefusalIsNotBelieved) {
  learnt("anna@example.test", 0, 2 * kHour);
  accepts = {"postmaster", "Anna"};
  watch();
  const auto before = recipient("anna@example.test")->verified_ms;
  monitor->refused(
      {.destination = "office", .key = "anna@example.test", .address = "Anna@example.test", .reply = "550 5.1.1"});
  ASSERT_TRUE(bench.until([&] { return recipient("anna@example.test")->verified_ms > before; }));
  EXPECT_EQ(recipient("anna@example.test")->refused_ms, 0);
  EXPECT_EQ(monitor->suspects(), 0U);
}

TEST_F(MonitorRecipientsTest, ALocalRecipientThatIsRefusedIsAskedForOnce) {
  watch();
  ASSERT_TRUE(becomes(kUp));
  for (int i = 0; i < 3; ++i) {
    monitor->refused({.destination = "office",
                      .key = "postmaster@example.test",
                      .address = "Postmaster@example.test",
                      .reply = "550"});
    ASSERT_TRUE(probed_again());
  }
  EXPECT_EQ(std::ranges::count(asked, "Postmaster"), 1);
  EXPECT_EQ(monitor->suspects(), 0U);
  EXPECT_EQ(told.back().state, kUp);
}

TEST_F(MonitorRecipientsTest, AServerThatRefusesEverybodyIsBroken) {
  for (const char* key : {"anna@example.test", "bert@example.test", "cora@example.test"}) learnt(key);
  watch();
  ASSERT_TRUE(becomes(kUp));
  monitor->refused(
      {.destination = "office", .key = "anna@example.test", .address = "anna@example.test", .reply = "550 5.1.1"});
  ASSERT_TRUE(becomes(kDown));
  EXPECT_EQ(told.back().reason, "refuses known recipients");
  EXPECT_TRUE(on_disk().refuses_known);
  ASSERT_TRUE(probed_again(2));
  EXPECT_EQ(told.back().state, kDown);
  restart();
  ASSERT_TRUE(probed_again(2));
  EXPECT_EQ(told.back().state, kDown);
  for (const char* key : {"anna@example.test", "bert@example.test", "cora@example.test"}) {
    ASSERT_TRUE(recipient(key)) << key;
    EXPECT_EQ(recipient(key)->refused_ms, 0) << key;
  }
  accepts = {"postmaster", "cora"};
  ASSERT_TRUE(becomes(kDraining));
}

TEST_F(MonitorRecipientsTest, WithNobodyKnownAnyMoreAPassIsEnough) {
  learnt("anna@example.test");
  learnt("bert@example.test");
  watch();
  monitor->refused(
      {.destination = "office", .key = "anna@example.test", .address = "anna@example.test", .reply = "550 5.1.1"});
  ASSERT_TRUE(becomes(kDown));
  flush_recipients(*store, "", [](std::size_t) {});
  ASSERT_TRUE(becomes(kDraining));
}

TEST_F(MonitorRecipientsTest, LearnsThroughTheLearner) {
  watch();
  Learner learner(bench.loop, *store, shared->config);
  learner.set_destinations(
      {.accepted = [&](const std::string&, const std::string& key) { return monitor->accepted(key); },
       .downtime_ms = [&](std::string_view) { return monitor->downtime_ms(); }});
  ipc::Learn lesson;
  lesson.recipients = {{.key = "anna@example.test", .destination = "office"},
                       {.key = "x@foreign.test", .destination = "office"}};
  learner.learn(lesson);
  ASSERT_TRUE(bench.until([&] { return recipient("anna@example.test").has_value(); }));
  EXPECT_FALSE(recipient("x@foreign.test"));
  std::optional<storage::DomainRow> row;
  store->read([&](const auto& d, const auto& txn) { row = d.domain(txn, "example.test"); });
  ASSERT_TRUE(row && !row->coverage.empty());
  EXPECT_EQ(row->coverage.back().covered, 1U);
}

TEST_F(MonitorRecipientsTest, TheAdminsRecipients) {
  auto keys = recipient_keys({"Sales@Example.test"}, *shared->config, Domains::kOurs);
  ASSERT_TRUE(keys);
  EXPECT_EQ(recipient_keys({"nobody"}, *shared->config, Domains::kOurs).error().kind, base::Kind::kUsage);
  EXPECT_EQ(recipient_keys({"a@foreign.test"}, *shared->config, Domains::kOurs).error().kind, base::Kind::kNotFound);
  std::optional<std::size_t> changed;
  set_recipients(*store, *keys, storage::RecipientSource::kLocal, [&](std::size_t n) { changed = n; });
  ASSERT_TRUE(bench.until([&] { return changed.has_value(); }));
  EXPECT_EQ(*changed, 1U);
  EXPECT_EQ(recipient("sales@example.test")->source, storage::RecipientSource::kLocal);
  learnt("anna@example.test");
  changed.reset();
  flush_recipients(*store, "example.test", [&](std::size_t n) { changed = n; });
  ASSERT_TRUE(bench.until([&] { return changed.has_value(); }));
  EXPECT_EQ(*changed, 1U);
  EXPECT_TRUE(recipient("sales@example.test"));
  changed.reset();
  remove_recipients(*store, *keys, [&](std::size_t n) { changed = n; });
  ASSERT_TRUE(bench.until([&] { return changed.has_value(); }));
  EXPECT_FALSE(recipient("sales@example.test"));
}

}  // namespace
}  // namespace holdfast::prober
