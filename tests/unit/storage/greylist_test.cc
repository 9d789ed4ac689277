#include "common/storage/greylist.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/file.h"
#include "tests/unit/storage/support.h"

namespace holdfast::storage {
namespace {

constexpr std::uint32_t kNow = 1'800'000'000;

class GreyRulesTest : public ::testing::Test {
 protected:
  // What comes of a try; what is written is kept, as the database would.
  GreyWord at(std::uint32_t now) {
    const auto judged = judge_grey(triplet, network, client, now, rules);
    if (judged.triplet) triplet = judged.triplet;
    if (judged.network) {
      const std::uint32_t before = network ? network->count : 0;
      network = judged.network;
      network->count += before;
    }
    return judged.word;
  }

  const base::Network client = grey_network(*base::IpAddress::parse("192.0.2.77"));
  GreyRules rules{.delay_s = 300, .window_s = 3600, .lifetime_s = 86400, .auto_allow = 2};
  std::optional<GreyRow> triplet, network;
};

TEST_F(GreyRulesTest, ClientsCountByNetwork) {
  EXPECT_EQ(client.text(), "192.0.2.0/24");
  EXPECT_EQ(grey_network(*base::IpAddress::parse("2001:db8:1:2:3::4")).text(), "2001:db8:1:2::/64");
}

TEST_F(GreyRulesTest, WhoComesAgainAfterTheDelayPassesAndIsKnown) {
  EXPECT_EQ(at(kNow), GreyWord::kPutOff);
  EXPECT_EQ(at(kNow + 299), GreyWord::kPutOff);
  EXPECT_EQ(triplet->first_s, kNow) << "trying sooner does not begin anew";
  EXPECT_EQ(at(kNow + 300), GreyWord::kPassed);
  EXPECT_EQ(at(kNow + 301), GreyWord::kKnown);
  EXPECT_EQ(network->count, 1u) << "counted once a triplet";
}

TEST_F(GreyRulesTest, WhoComesTooLateBeginsAnew) {
  EXPECT_EQ(at(kNow), GreyWord::kPutOff);
  EXPECT_EQ(at(kNow + 3600), GreyWord::kPutOff);
  EXPECT_EQ(triplet->first_s, kNow + 3600);
}

TEST_F(GreyRulesTest, WhoIsKnownStaysSoWhileItsMailGoesOn) {
  at(kNow);
  at(kNow + 300);
  EXPECT_EQ(at(kNow + 80'000), GreyWord::kKnown);
  EXPECT_EQ(at(kNow + 160'000), GreyWord::kKnown) << "the end has moved on";
  EXPECT_EQ(at(kNow + 250'000), GreyWord::kPutOff) << "not seen for a lifetime";
}

TEST_F(GreyRulesTest, ARowIsWrittenAgainRarely) {
  at(kNow);
  at(kNow + 300);
  EXPECT_FALSE(judge_grey(triplet, std::nullopt, client, kNow + 400, rules).triplet);
  EXPECT_TRUE(judge_grey(triplet, std::nullopt, client, kNow + 300 + 3600, rules).triplet);
}

TEST_F(GreyRulesTest, ANetworkWithEnoughThatPassedIsNotAskedAnyMore) {
  for (int i = 0; i < 2; ++i) {
    triplet.reset();
    at(kNow);
    EXPECT_EQ(at(kNow + 300), GreyWord::kPassed);
  }
  triplet.reset();
  EXPECT_EQ(at(kNow + 301), GreyWord::kKnown);
  rules.auto_allow = 0;
  EXPECT_EQ(at(kNow + 302), GreyWord::kPutOff) << "off";
}

TEST_F(GreyRulesTest, ByHandHoldsWhateverTheRulesSay) {
  network = GreyRow{.kind = GreyRow::Kind::kByHand, .network = client, .end_s = kNow + 10};
  rules.auto_allow = 0;
  EXPECT_EQ(at(kNow), GreyWord::kKnown);
  EXPECT_EQ(at(kNow + 10), GreyWord::kPutOff) << "its time is over";
}

TEST_F(GreyRulesTest, AClockThatWasPutBackBeginsAnew) {
  at(kNow);
  EXPECT_EQ(at(kNow - 100'000), GreyWord::kPutOff);
  EXPECT_EQ(triplet->first_s, kNow - 100'000);
}

class GreylistTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Greylist::open(folder.path());
    ASSERT_TRUE(opened) << opened.error().text;
    list = std::move(*opened);
  }
  void put(const std::string& key, const GreyRow& row, std::uint32_t now = kNow, std::uint64_t most = 1000) {
    auto txn = WriteTxn::begin(list->env());
    ASSERT_TRUE(txn);
    ASSERT_TRUE(list->put(**txn, key, row, now, most));
    ASSERT_TRUE((*txn)->commit());
  }
  std::optional<GreyRow> find(const std::string& key) {
    ReadTxn txn(list->env());
    const ReadTxn::View view(txn);
    return list->find(txn, key);
  }
  std::vector<std::uint32_t> ends() {
    ReadTxn txn(list->env());
    const ReadTxn::View view(txn);
    std::vector<std::uint32_t> out;
    list->each(txn, 0, [&](std::string_view, const GreyRow& row) { return out.push_back(row.end_s), true; });
    EXPECT_EQ(out.size(), list->entries(txn)) << "each row is in the table of ends, once";
    return out;
  }
  GreyRow waiting(std::uint32_t first, std::uint32_t end) const { return {.kind = GreyRow::Kind::kWaiting, .network = client, .first_s = first, .end_s = end}; }

  const test::Folder folder;
  const base::Network client = grey_network(*base::IpAddress::parse("2001:db8::1"));
  std::unique_ptr<Greylist> list;
};

TEST_F(GreylistTest, RowsComeBackAsTheyWereAlsoAfterARestart) {
  const std::string key = list->triplet_key(client, "a@s.example", "b@example.test");
  const GreyRow row{.kind = GreyRow::Kind::kPassed, .network = client, .first_s = kNow - 5, .end_s = kNow + 5, .count = 3};
  put(key, row);
  EXPECT_EQ(find(key), row);
  list.reset();
  SetUp();
  EXPECT_EQ(list->triplet_key(client, "a@s.example", "b@example.test"), key) << "the secret stays";
  EXPECT_EQ(find(key), row);
}

TEST_F(GreylistTest, KeysTellApartWhatIsNotTheSame) {
  const auto other = grey_network(*base::IpAddress::parse("2001:db8:0:1::1"));
  EXPECT_NE(list->triplet_key(client, "a", "bc"), list->triplet_key(client, "ab", "c"));
  EXPECT_NE(list->triplet_key(client, "a", "b"), list->triplet_key(other, "a", "b"));
  EXPECT_NE(list->network_key(client), list->network_key(other));
}

TEST_F(GreylistTest, AFirstAttemptIsNotWrittenOverByALaterOne) {
  put("k", waiting(kNow, kNow + 100));
  put("k", waiting(kNow + 1, kNow + 101));
  EXPECT_EQ(find("k")->first_s, kNow);
  put("k", waiting(kNow + 200, kNow + 300), kNow + 200);
  EXPECT_EQ(find("k")->first_s, kNow + 200) << "the one before was over";
  EXPECT_EQ(ends(), std::vector<std::uint32_t>{kNow + 300});
}

TEST_F(GreylistTest, TheCountOfANetworkIsAddedTo) {
  const GreyRow one{.kind = GreyRow::Kind::kNetwork, .network = client, .first_s = kNow, .end_s = kNow + 100, .count = 1};
  put("n", one);
  put("n", one);
  EXPECT_EQ(find("n")->count, 2u);
  put("n", {.kind = GreyRow::Kind::kByHand, .network = client, .end_s = kNow + 50});
  put("n", one);
  EXPECT_EQ(find("n")->kind, GreyRow::Kind::kByHand) << "what an admin said stays";
}

// Two messages at once, or two workers, judge before either has written.
TEST_F(GreylistTest, ATripletThatPassesTwiceAtOnceCountsOnce) {
  const GreyRules rules{.delay_s = 10, .window_s = 100, .lifetime_s = 1000, .auto_allow = 2, .max_entries = 1000};
  put("t", waiting(kNow, kNow + 100));
  const auto judged = judge_grey(find("t"), find("n"), client, kNow + 20, rules);
  ASSERT_EQ(judged.word, GreyWord::kPassed);
  for (int i = 0; i < 2; ++i) {
    auto txn = WriteTxn::begin(list->env());
    ASSERT_TRUE(txn);
    ASSERT_TRUE(list->note(**txn, "t", "n", judged, kNow + 20, 1000));
    ASSERT_TRUE((*txn)->commit());
  }
  EXPECT_EQ(find("t")->kind, GreyRow::Kind::kPassed);
  EXPECT_EQ(find("n")->count, 1u);
}

TEST_F(GreylistTest, WhatIsOverGoesWithLaterChanges) {
  for (std::uint32_t i = 0; i < 10; ++i) put("old" + std::to_string(i), waiting(kNow, kNow + 1 + i));
  for (std::uint32_t i = 0; i < 5; ++i) put("new" + std::to_string(i), waiting(kNow + 50, kNow + 1000 + i), kNow + 50);
  EXPECT_EQ(ends().size(), 5u);
  EXPECT_FALSE(find("old9"));
}

TEST_F(GreylistTest, WhenThereAreTooManyTheFirstToEndGo) {
  for (std::uint32_t i = 0; i < 30; ++i) put("k" + std::to_string(i), waiting(kNow, kNow + 1000 + i), kNow, 10);
  const auto left = ends();
  EXPECT_LE(left.size(), 10u);
  EXPECT_GE(left.size(), 9u);
  EXPECT_EQ(left.back(), kNow + 1029);
}

TEST_F(GreylistTest, ErasedIsGoneFromBothTables) {
  put("k", waiting(kNow, kNow + 100));
  auto txn = WriteTxn::begin(list->env());
  ASSERT_TRUE(list->erase(**txn, "k"));
  ASSERT_TRUE((*txn)->commit());
  txn->reset();
  EXPECT_TRUE(ends().empty());
}

TEST_F(GreylistTest, AFileThatIsNoDatabaseIsReplaced) {
  list.reset();
  const std::string file = Greylist::folder(folder.path()) + "/data.mdb";
  ASSERT_TRUE(base::replace_file(file, std::string(8192, 'x')));
  SetUp();
  put("k", waiting(kNow, kNow + 100));
  EXPECT_TRUE(find("k"));
}

// Whatever page is damaged: at worst one process ends by it, and the next has a database again.
TEST_F(GreylistTest, DamageEndsOneProcess) {
  for (int i = 0; i < 500; ++i) put("key " + std::to_string(i), waiting(kNow, kNow + 100));
  list.reset();
  const std::string file = Greylist::folder(folder.path()) + "/data.mdb";
  const auto whole = base::read_file(file, 64 << 20);
  ASSERT_TRUE(whole);
  int ended = 0;
  for (std::size_t page = 2; page * 4096 < whole->size(); ++page) {
    std::string bad = *whole;
    bad.replace(page * 4096, 4096, std::string(4096, '\xFF'));
    ASSERT_TRUE(base::replace_file(file, bad));
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(STDERR_FILENO);
      SetUp();
      for (int i = 0; i < 500; ++i) (void)find("key " + std::to_string(i));
      put("one more", waiting(kNow, kNow + 100));
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) continue;
    ++ended;
    SetUp();
    put("k", waiting(kNow, kNow + 100));
    EXPECT_TRUE(find("k"));
    list.reset();
  }
  EXPECT_GT(ended, 0);
}

}  // namespace
}  // namespace holdfast::storage
