#include "common/storage/page_check.h"

#include <atomic>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::storage {
namespace {

constexpr std::size_t kPage = 4096;

std::vector<std::string> faults_of(Env& env) {
  std::vector<std::string> out;
  EXPECT_TRUE(check_pages(env, [&](std::string text) { out.push_back(std::move(text)); }));
  return out;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += line + "\n";
  return out;
}

class PageCheckTest : public testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() { env_ = std::move(*Env::open(folder_.path(), {"one", "two"}, {.map_bytes = 64 << 20})); }

  // A transaction of many changes; some values are larger than a page.
  void work(std::mt19937_64& random, int changes) {
    auto txn = std::move(*WriteTxn::begin(*env_));
    for (int i = 0; i < changes; ++i) {
      const std::string key = "key " + std::to_string(random() % 3000);
      const Table table = random() % 2;
      if (random() % 3 == 0) {
        ASSERT_TRUE(txn->erase(table, key));
      } else {
        const std::size_t size = random() % 20 == 0 ? random() % 30'000 : random() % 300;
        ASSERT_TRUE(txn->put(table, key, std::string(size, 'v')));
      }
    }
    ASSERT_TRUE(txn->commit());
  }

  // Closes it, changes its file, and tells what is found then.
  std::string faults_with(const std::function<void(std::string&)>& change) {
    env_.reset();
    const std::string path = folder_.path() + "/data.mdb";
    std::string bytes = test::slurp(path);
    change(bytes);
    test::dump(path, bytes);
    open();
    return joined(faults_of(*env_));
  }

  test::Folder folder_;
  std::unique_ptr<Env> env_;
};

TEST_F(PageCheckTest, WhatLmdbWritesIsSound) {
  EXPECT_EQ(joined(faults_of(*env_)), "") << "with tables and nothing in them";
  std::mt19937_64 random(1);
  for (int i = 0; i < 60; ++i) {
    work(random, 1 + i * 7);
    ASSERT_EQ(joined(faults_of(*env_)), "") << "after " << i;
  }
}

TEST_F(PageCheckTest, SeesOneMomentBesideAWriter) {
  std::atomic<int> commits = 0;
  std::thread writer([&] {
    std::mt19937_64 random(2);
    for (; commits < 40; ++commits) work(random, 20);
  });
  do {
    EXPECT_EQ(joined(faults_of(*env_)), "");
  } while (commits < 40);
  writer.join();
}

TEST_F(PageCheckTest, APageWithAnotherNumberIsFound) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 6; ++i) work(random, 60);
  env_.reset();
  const std::size_t pages = test::slurp(folder_.path() + "/data.mdb").size() / kPage;
  open();
  std::size_t found = 0;
  for (std::size_t page = 2; page < pages; page += 1 + pages / 30) {
    const auto flip = [&](std::string& bytes) { bytes[page * kPage] = static_cast<char>(bytes[page * kPage] ^ 8); };
    const std::string faults = faults_with(flip);
    const std::string expected = "page " + std::to_string(page) + ": it has the number " + std::to_string(page ^ 8);
    if (faults.find(expected) != std::string::npos) {
      ++found;
    } else {
      EXPECT_EQ(faults, "") << "a page that is not in use";
    }
    faults_with(flip);  // and back
  }
  EXPECT_GT(found, 3U);
}

TEST_F(PageCheckTest, APageThatIsFreeAndInUseIsFound) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 20; ++i) work(random, 200);
  // A free list is numbers in falling order behind their count: every such run of three gets a smaller last number.
  std::size_t changed = 0;
  const std::string faults = faults_with([&](std::string& bytes) {
    const auto number = [&](std::size_t at) {
      std::uint64_t value = 0;
      std::memcpy(&value, bytes.data() + at, sizeof value);
      return value;
    };
    const std::size_t pages = bytes.size() / kPage;
    for (std::size_t at = 2 * kPage; at + 32 < bytes.size(); at += 2) {
      const bool run = number(at) < pages && number(at + 8) < number(at) && number(at + 16) < number(at + 8) &&
                       number(at + 16) > 3;
      if (!run) continue;
      const std::uint64_t smaller = number(at + 16) - 1;
      std::memcpy(bytes.data() + at + 16, &smaller, sizeof smaller);
      ++changed;
      at += 24;
    }
  });
  ASSERT_GT(changed, 0U);
  EXPECT_NE(faults.find("free"), std::string::npos) << faults;
}

TEST_F(PageCheckTest, AMetaPageFromAnotherTimeIsFound) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 4; ++i) work(random, 50);
  EXPECT_EQ(joined(faults_of(*env_)), "");
  // The older of the two claims to be far newer.
  const std::string faults = faults_with([](std::string& bytes) {
    constexpr std::size_t kTransaction = 16 + 24 + 2 * 48 + 8;
    std::uint64_t numbers[2];
    for (std::size_t i = 0; i < 2; ++i) std::memcpy(&numbers[i], bytes.data() + i * kPage + kTransaction, 8);
    const std::size_t older = numbers[0] < numbers[1] ? 0 : 1;
    numbers[older] += 1 << 20;
    std::memcpy(bytes.data() + older * kPage + kTransaction, &numbers[older], 8);
  });
  EXPECT_EQ(faults, "a meta page is damaged\n");
}

}  // namespace
}  // namespace holdfast::storage
