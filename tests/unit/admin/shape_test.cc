#include "common/admin/queue_shape.h"

#include <gtest/gtest.h>

namespace holdfast::admin {
namespace {

constexpr std::int64_t kNow = 1'000'000'000;

storage::Listed message(std::int64_t minutes, std::string sender, std::vector<std::string> to) {
  storage::Listed out;
  out.message.sender = std::move(sender);
  out.message.arrival_ms = kNow - minutes * 60'000;
  for (auto& address : to) out.recipients.push_back({.address = std::move(address), .reply = {}, .dsn = {}});
  return out;
}

TEST(Shape, CountsOnceADomain) {
  Shape shape(Shape::By::kRecipient, kNow);
  shape.add(message(1, "", {"a@b.test", "c@B.test", "x@c.test"}));
  shape.add(message(4, "", {"a@b.test"}));
  shape.add(message(5, "", {"a@b.test"}));
  shape.add(message(100'000, "", {"a@b.test"}));
  shape.add(message(-3, "", {"a@b.test"}));
  auto done = message(1, "", {"gone@d.test"});
  done.recipients[0].status = storage::RecipientStatus::kSent;
  shape.add(done);
  EXPECT_EQ(shape.text(9),
            "messages by age, in minutes\n"
            "DOMAIN  TOTAL  5  10  20  40  80  160  320  640  1280  1280+\n"
            "TOTAL       6  4   1   0   0   0    0    0    0     0      1\n"
            "b.test      5  3   1   0   0   0    0    0    0     0      1\n"
            "c.test      1  1   0   0   0   0    0    0    0     0      0\n");
}

TEST(Shape, BySenderTheGreatestFirst) {
  Shape shape(Shape::By::kSender, kNow);
  shape.add(message(1, "a@one.test", {"a@b.test"}));
  for (int i = 0; i < 2; ++i) shape.add(message(30, "a@two.test", {"a@b.test"}));
  for (int i = 0; i < 3; ++i) shape.add(message(30, "", {"a@b.test"}));
  const auto lines = shape.json_lines(2);
  EXPECT_TRUE(lines.starts_with("{\"ages\":[{\"messages\":1,\"minutes\":5},")) << lines;
  EXPECT_NE(lines.find("\"domain\":null,\"total\":6"), lines.npos) << lines;
  EXPECT_LT(lines.find("MAILER-DAEMON"), lines.find("two.test"));
  EXPECT_EQ(lines.find("one.test"), lines.npos);
}

TEST(Shape, MemoryIsBounded) {
  Shape shape(Shape::By::kSender, kNow);
  for (std::size_t i = 0; i < Shape::kMostDomains + 5; ++i)
    shape.add(message(1, "a@" + std::to_string(i) + ".test", {}));
  const auto lines = shape.json_lines(~0U);
  EXPECT_NE(lines.find("\"domain\":\"(others)\",\"total\":5"), lines.npos);
}

}  // namespace
}  // namespace holdfast::admin
