#include "common/admin/rcpt_report.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace holdfast::admin {
namespace {

using nlohmann::json;
constexpr std::int64_t kNow = 1'795'339'013'000;

TEST(Recipient, HasTheContractsFields) {
  const RecipientView learnt{"a@example.test", "learnt", "office", kNow - 3'600'000, kNow + 3'600'000};
  const auto j = json::parse(recipient_json(learnt));
  EXPECT_EQ(j["source"], "learnt");
  EXPECT_EQ(j["verified_at"], "2026-11-22T08:16:53Z");
  EXPECT_EQ(j["expires"], "2026-11-22T10:16:53Z");
  const RecipientView local{"b@example.test", "local", "office", 0, 0};
  EXPECT_TRUE(json::parse(recipient_json(local))["verified_at"].is_null());
  EXPECT_TRUE(json::parse(recipient_json(local))["expires"].is_null());
  EXPECT_EQ(json::parse(recipient_json(local))["configured"], false);
}

TEST(Check, SaysWhatWouldHappen) {
  const RecipientView learnt{"a@example.test", "learnt", "office", kNow - 3'600'000, kNow + 3'600'000};
  EXPECT_EQ(check_text(learnt, "known", kNow), "a@example.test is known (learnt): while its destination is down, its mail is "
                                               "kept here; last accepted 1h ago, forgotten in 1h\n");
  const RecipientView none{"x@example.test", "", "office", 0, 0};
  EXPECT_EQ(check_text(none, "unknown", kNow), "x@example.test is unknown: while its destination is down, senders get 451 "
                                               "and keep its mail themselves\n");
  EXPECT_TRUE(json::parse(check_json(none, "unknown"))["source"].is_null());
}

}  // namespace
}  // namespace holdfast::admin
