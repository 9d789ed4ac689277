#include "common/storage/record.h"

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::storage {
namespace {

const base::HashKey kKey{1, 2};

RecordHeader header() {
  return {.id = mail::QueueId::make(7, 9), .generation = 3, .content_length = 11, .content_sum = 5, .offset = 8192};
}

TEST(Record, HeadGoesRound) {
  const auto head = encode_record_head(kKey, header(), test::envelope());
  const auto back = RecordHeader::decode(head);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->id, mail::QueueId::make(7, 9));
  EXPECT_EQ(back->generation, 3U);
  EXPECT_EQ(back->content_length, 11U);
  EXPECT_EQ(back->content_sum, 5U);
  EXPECT_EQ(back->offset, 8192U);
  EXPECT_EQ(back->length(), head.size() + 11);
  EXPECT_TRUE(head_is_sound(kKey, head, *back));
}

TEST(Record, EveryFlippedBitIsSeen) {
  const auto head = encode_record_head(kKey, header(), test::envelope());
  for (std::size_t bit = 0; bit < head.size() * 8; ++bit) {
    auto bad = head;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto back = RecordHeader::decode(bad);
    EXPECT_FALSE(back && head_is_sound(kKey, bad, *back)) << "bit " << bit;
  }
}

TEST(Record, EveryShorterHeadIsRefused) {
  const auto head = encode_record_head(kKey, header(), test::envelope());
  for (std::size_t n = 0; n < head.size(); ++n) {
    const auto back = RecordHeader::decode(head.substr(0, n));
    EXPECT_FALSE(back && head_is_sound(kKey, head.substr(0, n), *back)) << n << " bytes";
  }
}

TEST(Record, AnotherKeyIsAnotherSegmentsRecord) {
  const auto head = encode_record_head(kKey, header(), test::envelope());
  EXPECT_FALSE(head_is_sound({1, 3}, head, *RecordHeader::decode(head)));
}

TEST(SegmentHeader, GoesRoundAndIsChecked) {
  const SegmentHeader header{.id = {42, 7}, .owner = SegmentOwner::kQmgr, .key = {11, 12}};
  const auto block = header.encode();
  ASSERT_EQ(block.size(), kBlock);
  const auto back = SegmentHeader::decode(block);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->id, header.id);
  EXPECT_EQ(back->owner, SegmentOwner::kQmgr);
  EXPECT_EQ(back->key, header.key);
  for (std::size_t bit = 0; bit < kBlock * 8; ++bit) {
    auto bad = block;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto still = SegmentHeader::decode(bad);
    ASSERT_TRUE(still && still->key == header.key) << "it stands there twice: bit " << bit;
    if (bit >= 48 * 8) continue;
    bad[2048 + bit / 8] = static_cast<char>(bad[2048 + bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(SegmentHeader::decode(bad)) << "bit " << bit << " in both";
  }
}

TEST(SegmentId, NamesGoRound) {
  const SegmentId id{0xFFFFFF, 0x1A};
  EXPECT_EQ(id.file_name(), "FFFFFF-0000001A.seg");
  EXPECT_EQ(SegmentId::parse(id.file_name()), id);
  for (const char* bad : {"", "new-FFFFFF-0000001A.seg", "ffffff-0000001a.seg", "FFFFFF-0000001A.se", "FFFFFF_0000001A.seg"}) {
    EXPECT_FALSE(SegmentId::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace holdfast::storage
