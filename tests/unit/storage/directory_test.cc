#include "common/storage/directory.h"

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::storage {
namespace {

constexpr std::int64_t kHour = 3600 * 1000, kDay = 24 * kHour;
constexpr KeepRule kRule{};

RecipientRow learnt(std::int64_t verified, std::string destination = "office") {
  return {.source = RecipientSource::kLearnt, .destination = std::move(destination), .verified_ms = verified,
          .downtime_at_verify_ms = 0, .learnt_ms = verified, .refused_ms = 0};
}

TEST(DirectoryRules, LearntLastsAsLongAsItIsKept) {
  const auto row = learnt(kDay);
  EXPECT_EQ(expires_ms(row, nullptr, kDay, kRule), 5 * kDay);
  EXPECT_EQ(standing(row, "office", nullptr, nullptr, 5 * kDay - 1, kRule), Standing::kKnown);
  EXPECT_EQ(standing(row, "office", nullptr, nullptr, 5 * kDay, kRule), Standing::kUnknown);
  EXPECT_EQ(standing(row, "other", nullptr, nullptr, kDay, kRule), Standing::kUnknown) << "learnt elsewhere";
}

TEST(DirectoryRules, DowntimeMayStopTheClock) {
  const KeepRule patient{.keep_ms = 4 * kDay, .count_downtime = false};
  DestinationRow down;
  down.downtime_total_ms = kDay;
  down.down_since_ms = 2 * kDay;
  auto row = learnt(kDay);
  row.downtime_at_verify_ms = kDay / 2;
  // Half a day of an outage before, and the one that began on day 2, do not count.
  EXPECT_EQ(expires_ms(row, &down, 10 * kDay, patient), kDay + 4 * kDay + kDay / 2 + 8 * kDay);
  EXPECT_EQ(standing(row, "office", &down, nullptr, 10 * kDay, patient), Standing::kKnown);
  EXPECT_EQ(standing(row, "office", &down, nullptr, 10 * kDay, kRule), Standing::kUnknown);
}

TEST(DirectoryRules, CatchAllTeachesNothingButTheAdminStillDoes) {
  DomainRow catch_all;
  catch_all.destination = "office";
  catch_all.catch_all = CatchAll::kYes;
  EXPECT_EQ(standing(learnt(0), "office", nullptr, &catch_all, 1, kRule), Standing::kUnknown);
  RecipientRow local{.source = RecipientSource::kLocal, .destination = "", .verified_ms = 0, .downtime_at_verify_ms = 0,
                     .learnt_ms = 0, .refused_ms = 0};
  EXPECT_EQ(standing(local, "office", nullptr, &catch_all, 100 * kDay, kRule), Standing::kKnown);
  local.source = RecipientSource::kDenied;
  EXPECT_EQ(standing(local, "office", nullptr, nullptr, 1, kRule), Standing::kDenied);
  EXPECT_EQ(expires_ms(local, nullptr, 0, kRule), 0);
  catch_all.destination = "former";
  EXPECT_EQ(standing(learnt(0), "office", nullptr, &catch_all, 1, kRule), Standing::kKnown);
}

TEST(DirectoryRules, AnUnconfirmedStateIsTriedAsUp) {
  DestinationRow row;
  row.state = mail::DestinationState::kDown;
  row.confirmed_ms = 1000;
  EXPECT_EQ(effective_state(row, 1000 + 3 * 120'000, 120'000), mail::DestinationState::kDown);
  EXPECT_EQ(effective_state(row, 1001 + 3 * 120'000, 120'000), mail::DestinationState::kUp);
  row.state = mail::DestinationState::kPaused;
  EXPECT_EQ(effective_state(row, kDay, 120'000), mail::DestinationState::kPaused);
}

TEST(DirectoryRules, CoverageIsOfTheLastWeek) {
  DomainRow row;
  EXPECT_EQ(coverage_percent(row, 0), std::nullopt);
  row.coverage = {{.day = 1, .accepted = 100, .covered = 0}, {.day = 9, .accepted = 10, .covered = 9}};
  EXPECT_EQ(coverage_percent(row, 9 * kDay + kHour), 90);
  EXPECT_EQ(coverage_percent(row, 7 * kDay), 8);
  EXPECT_EQ(coverage_percent(row, 16 * kDay), std::nullopt);
}

class DirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = Directory::open(folder_.path(), test::kSmallEnv);
    ASSERT_TRUE(opened);
    directory_ = std::move(*opened);
  }
  template <class Change>
  void change(const Change& what) {
    auto txn = WriteTxn::begin(directory_->env());
    ASSERT_TRUE(what(**txn));
    ASSERT_TRUE((*txn)->commit());
  }
  void put(std::string_view key, const RecipientRow& row, std::uint64_t most = 1000) {
    change([&](WriteTxn& txn) { return directory_->put_recipient(txn, key, row, most); });
  }
  std::vector<std::string> of(std::string_view domain) {
    ReadTxn txn(directory_->env());
    const ReadTxn::View view(txn);
    std::vector<std::string> out;
    directory_->each_recipient_of(txn, domain, [&](std::string_view key, const RecipientRow&) {
      out.emplace_back(key);
      return true;
    });
    return out;
  }
  std::uint64_t count(std::string_view domain) {
    ReadTxn txn(directory_->env());
    const ReadTxn::View view(txn);
    return directory_->learnt_count(txn, domain);
  }

  test::Folder folder_;
  std::unique_ptr<Directory> directory_;
};

TEST_F(DirectoryTest, RowsGoRound) {
  DestinationRow row;
  row.state = mail::DestinationState::kDown;
  row.reason = "connect: connection refused";
  row.capabilities.size_limit = 10'000'000;
  row.servers = {{.server = "10.0.0.5:25", .up = false, .reason = "x", .since_ms = 4, .addresses = {"10.0.0.5:25"}}};
  DomainRow domain;
  domain.destination = "office";
  domain.coverage = {{.day = 3, .accepted = 2, .covered = 1}};
  change([&](WriteTxn& txn) { return directory_->put_destination(txn, "office", row); });
  change([&](WriteTxn& txn) { return directory_->put_domain(txn, "example.test", domain); });
  put("a@example.test", learnt(5));
  ReadTxn txn(directory_->env());
  const ReadTxn::View view(txn);
  EXPECT_EQ(directory_->destination(txn, "office"), row);
  EXPECT_EQ(directory_->domain(txn, "example.test"), domain);
  EXPECT_EQ(directory_->recipient(txn, "a@example.test"), learnt(5));
  EXPECT_EQ(directory_->recipient(txn, ""), std::nullopt);
  EXPECT_EQ(directory_->recipient(txn, std::string(5000, 'x')), std::nullopt);
}

TEST_F(DirectoryTest, TheOldestOfADomainGoesFirst) {
  put("a@d.test", learnt(30), 3);
  put("b@d.test", learnt(10), 3);
  put("c@d.test", learnt(20), 3);
  put("x@other.test", learnt(1), 3);
  put("b@d.test", learnt(40), 3);
  EXPECT_EQ(of("d.test"), (std::vector<std::string>{"c@d.test", "a@d.test", "b@d.test"}));
  put("d@d.test", learnt(50), 3);
  EXPECT_EQ(of("d.test"), (std::vector<std::string>{"a@d.test", "b@d.test", "d@d.test"}));
  EXPECT_EQ(count("d.test"), 3U);
  EXPECT_EQ(count("other.test"), 1U);
}

TEST_F(DirectoryTest, WhatTheAdminSaidIsNeitherCountedNorDrivenOut) {
  auto local = learnt(0);
  local.source = RecipientSource::kLocal;
  put("sales@d.test", local, 1);
  put("a@d.test", learnt(10), 1);
  put("b@d.test", learnt(20), 1);
  EXPECT_EQ(of("d.test"), (std::vector<std::string>{"b@d.test", "sales@d.test"}));
  EXPECT_EQ(count("d.test"), 1U);
  put("b@d.test", local, 1);
  EXPECT_EQ(count("d.test"), 0U);
  for (int twice = 0; twice < 2; ++twice) {
    change([&](WriteTxn& txn) { return directory_->erase_recipient(txn, "b@d.test"); });
  }
  EXPECT_EQ(of("d.test"), (std::vector<std::string>{"sales@d.test"}));
}

TEST_F(DirectoryTest, ExpiresInSteps) {
  for (int i = 0; i < 10; ++i) put("u" + std::to_string(i) + "@d.test", learnt(i * kHour));
  std::size_t gone = 0;
  const auto expire = [&](std::int64_t now, std::size_t limit) {
    change([&](WriteTxn& txn) -> base::Status {
      gone = *directory_->expire(txn, "d.test", now, kRule, limit);
      return {};
    });
    return gone;
  };
  EXPECT_EQ(expire(4 * kDay + 4 * kHour, 3), 3U);
  EXPECT_EQ(expire(4 * kDay + 4 * kHour, 3), 2U);
  EXPECT_EQ(expire(4 * kDay + 4 * kHour, 3), 0U);
  EXPECT_EQ(of("d.test").front(), "u5@d.test");
  EXPECT_EQ(count("d.test"), 5U);
}

TEST_F(DirectoryTest, KeysTooLongOrWithoutDomainAreNotKept) {
  put(std::string(kMaxRecipientKey, 'x') + "@d.test", learnt(1));
  put("nodomain", learnt(1));
  EXPECT_TRUE(of("d.test").empty());
  EXPECT_EQ(count("d.test"), 0U);
}

TEST(DirectoryReader, NothingIsKnownBeforeThereIsADirectory) {
  const test::Folder folder;
  DirectoryReader reader(folder.path());
  EXPECT_EQ(reader.destination("office"), std::nullopt);
  EXPECT_EQ(reader.standing("a@d.test", "d.test", "office", 0, kRule), Standing::kUnknown);
  EXPECT_EQ(reader.read([](const Directory&, const Txn&) {}).error().kind, base::Kind::kNotFound);
}

TEST(DirectoryReader, AnswersFromTheDirectory) {
  const test::Folder folder;
  {
    auto directory = Directory::open(folder.path());
    auto txn = WriteTxn::begin((*directory)->env());
    ASSERT_TRUE((*directory)->put_recipient(**txn, "a@d.test", learnt(kDay), 10));
    ASSERT_TRUE((*txn)->commit());
  }
  DirectoryReader reader(folder.path());
  EXPECT_EQ(reader.standing("a@d.test", "d.test", "office", kDay, kRule), Standing::kKnown);
  EXPECT_EQ(reader.standing("b@d.test", "d.test", "office", kDay, kRule), Standing::kUnknown);
  EXPECT_EQ(reader.recipient("a@d.test"), learnt(kDay));
}

}  // namespace
}  // namespace holdfast::storage
