#include "common/mail/queue_id.h"

#include <gtest/gtest.h>

namespace holdfast::mail {
namespace {

TEST(QueueId, JoinsWriterAndSequence) {
  const QueueId id = QueueId::make(0x3F2, 0xA91C07B4D);
  EXPECT_EQ(id.writer(), 0x3F2u);
  EXPECT_EQ(id.text(), "3F20A91C07B4D");
  EXPECT_LT(QueueId::make(1, (1ULL << 40) - 1), QueueId::make(2, 0));
}

TEST(QueueId, ParsesEitherCaseAndNothingElse) {
  const QueueId id = QueueId::make(0xFFFFFF, (1ULL << 40) - 1);
  EXPECT_EQ(QueueId::parse(id.text()), id);
  EXPECT_EQ(QueueId::parse("ab1"), QueueId{0xab1});
  for (const char* text : {"", "0", "G1", "0x1", "1 ", " 1", "-1", "+1", "1FFFFFFFFFFFFFFFF"}) {
    EXPECT_FALSE(QueueId::parse(text)) << text;
  }
}

}  // namespace
}  // namespace holdfast::mail
