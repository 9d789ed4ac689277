#include "alertd/store.h"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

namespace holdfast::alertd {
namespace {

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    std::string name = (std::filesystem::temp_directory_path() / "hf-alerts-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~StoreTest() override { std::filesystem::remove_all(folder_); }
  // Waits for the commit.
  void write(Store& store, Changes changes) {
    store.write(std::move(changes), [this] { loop_.stop(); });
    loop_.run();
  }

  net::Loop loop_;
  std::string folder_;
};

TEST_F(StoreTest, WhatWasWrittenIsReadByTheNext) {
  Alert alert;
  alert.id = 3;
  alert.kind = "held";
  alert.raised = {1, 2};
  alert.most = {.messages = 9, .bytes = 10, .oldest_ms = 11, .expires_ms = 12};
  alert.ended = "is paused";
  Notice notice;
  notice.id = 4;
  notice.text = "t\n";
  notice.facts = {{"kind", "held"}};
  notice.deliveries = {{"command", 2, 99}};
  const Silence silence{.what = "office", .until_ms = 77, .by = "ann"};
  {
    auto store = Store::open(loop_, folder_);
    ASSERT_TRUE(store) << store.error().text;
    Changes changes;
    changes.put(alert);
    changes.put(notice);
    changes.put(silence);
    changes.put(Taken{.sender = "qmgr 0", .pid = 7, .number = 8});
    write(**store, std::move(changes));
  }
  auto store = Store::open(loop_, folder_);
  ASSERT_TRUE(store);
  const auto contents = (*store)->read();
  EXPECT_EQ(contents.alerts, std::vector<Alert>{alert});
  EXPECT_EQ(contents.notices, std::vector<Notice>{notice});
  EXPECT_EQ(contents.silences, std::vector<Silence>{silence});
  ASSERT_EQ(contents.taken.size(), 1U);
  EXPECT_EQ(contents.taken[0].number, 8U);
}

TEST_F(StoreTest, WhatIsErasedIsGone) {
  auto store = Store::open(loop_, folder_);
  ASSERT_TRUE(store);
  Changes first, second;
  Alert alert;
  alert.id = 3;
  first.put(alert);
  first.put(Silence{.what = "x", .until_ms = 1, .by = ""});
  second.erase_alert(3);
  second.erase_silence("x");
  second.erase_notice(12);  // was never there
  write(**store, std::move(first));
  write(**store, std::move(second));
  EXPECT_TRUE((*store)->read().alerts.empty());
  EXPECT_TRUE((*store)->read().silences.empty());
}

}  // namespace
}  // namespace holdfast::alertd
