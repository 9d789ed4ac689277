#include "common/ipc/messages.h"

#include <gtest/gtest.h>

#include "common/base/codec.h"

namespace holdfast::ipc {
namespace {

Outcome sample() {
  return {.queue_id = 0x10000000005,
          .generation = 2,
          .attempt = 3,
          .destination = "office",
          .relay = "10.0.0.5[10.0.0.5]:25",
          .canary = true,
          .stage = mail::Stage::kRcpt,
          .code = 550,
          .connection_lost = false,
          .possible_duplicate = true,
          .damaged = false,
          .recipients = {{.index = 0, .status = 2, .reply = "550 5.1.1 no", .dsn = "5.1.1"}, {.index = 1}},
          .unreadable = true,
          .success_owed = {1},
          .rescan = RescanWord::kLater};
}

TEST(Messages, ComeBackAsTheyWere) {
  const auto again = base::decode<Outcome>(base::encode(sample()));
  ASSERT_TRUE(again);
  EXPECT_EQ(base::encode(*again), base::encode(sample()));
  EXPECT_EQ(again->recipients.size(), 2u);
  EXPECT_EQ(again->recipients[0].reply, "550 5.1.1 no");
  EXPECT_TRUE(again->possible_duplicate);
}

TEST(Messages, NoCutInsideAFieldIsTaken) {
  const std::string whole = base::encode(sample());
  // A cut at a field's end leaves defaults (messages grow at their end); any other is refused. No cut may
  // crash or give back the whole.
  std::size_t taken = 0;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto cut = base::decode<Outcome>(std::string_view(whole).substr(0, n));
    if (!cut) continue;
    ++taken;
    EXPECT_NE(base::encode(*cut), whole);
  }
  EXPECT_LE(taken, 15u);  // the number of fields
}

TEST(Messages, AnAbsurdCountIsRefused) {
  std::string wire;
  base::Writer w(wire);
  w.number(std::uint32_t{0xffffffff});
  EXPECT_FALSE(base::decode<Learn>(wire));
}

TEST(Messages, BytesBehindTheEndAreRefused) {
  EXPECT_FALSE(base::decode<ProbeNow>(base::encode(ProbeNow{"office"}) + "x"));
}

}  // namespace
}  // namespace holdfast::ipc
