#include "common/ipc/frame.h"

#include <gtest/gtest.h>

namespace holdfast::ipc {
namespace {

TEST(FrameReader, CutsFramesWhateverThePieces) {
  std::string wire;
  append_frame(wire, Type::kSynced, "one");
  append_frame(wire, Type::kJob, "");
  append_frame(wire, Type::kFact, std::string(70000, 'x'));
  for (std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{4096}, wire.size()}) {
    FrameReader reader;
    std::vector<std::pair<Type, std::string>> got;
    for (std::size_t at = 0; at < wire.size(); at += piece) {
      reader.receive(std::string_view(wire).substr(at, piece));
      for (;;) {
        const auto frame = reader.next();
        ASSERT_TRUE(frame);
        if (!*frame) break;
        got.emplace_back((*frame)->type, (*frame)->body);
      }
    }
    ASSERT_EQ(got.size(), 3u) << "pieces of " << piece;
    EXPECT_EQ(got[0], (std::pair<Type, std::string>(Type::kSynced, "one")));
    EXPECT_EQ(got[1].second, "");
    EXPECT_EQ(got[2].second.size(), 70000u);
  }
}

TEST(FrameReader, RefusesImpossibleLengths) {
  FrameReader too_long;
  too_long.receive(std::string("\xff\xff\xff\xff", 4));
  EXPECT_FALSE(too_long.next());
  FrameReader too_short;
  too_short.receive(std::string("\x01\x00\x00\x00\x07", 5));
  EXPECT_FALSE(too_short.next());
}

}  // namespace
}  // namespace holdfast::ipc
