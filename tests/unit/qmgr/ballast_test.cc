#include "qmgr/ballast.h"

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::qmgr {
namespace {

constexpr std::uint64_t kBytes = 1 << 20;
constexpr storage::Reserve kNone{.percent = 0, .bytes = 0};
constexpr base::Mono kStart{base::Seconds{1000}};

class BallastTest : public testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/ballast"; }
  std::uint64_t room() const {
    struct stat info {};
    return ::stat(path().c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_blocks) * 512 : 0;
  }

  storage::test::Folder folder_;
};

TEST_F(BallastTest, IsMadeOfRealRoomAndFoundAgain) {
  Ballast ballast(folder_.path(), kBytes);
  EXPECT_FALSE(ballast.there());
  ballast.look(kStart, kNone);
  EXPECT_TRUE(ballast.there());
  EXPECT_GE(room(), kBytes);
  EXPECT_TRUE(Ballast(folder_.path(), kBytes).there());
}

TEST_F(BallastTest, GivenUpItRestsAWhile) {
  Ballast ballast(folder_.path(), kBytes);
  ballast.look(kStart, kNone);
  EXPECT_TRUE(ballast.release(kStart));
  EXPECT_EQ(room(), 0U);
  EXPECT_FALSE(ballast.release(kStart)) << "there is none";
  ballast.look(kStart + Ballast::kRest - base::Millis{1}, kNone);
  EXPECT_FALSE(ballast.there());
  ballast.look(kStart + Ballast::kRest, kNone);
  EXPECT_TRUE(ballast.there());
}

TEST_F(BallastTest, IsNotMadeAtTheReservesCost) {
  Ballast ballast(folder_.path(), kBytes);
  ballast.look(kStart, {.percent = 100, .bytes = ~0ULL});
  EXPECT_FALSE(ballast.there());
  EXPECT_EQ(room(), 0U);
}

TEST_F(BallastTest, OneThatAPowerCutMadeShortIsMadeAnew) {
  storage::test::dump(path(), "short");
  Ballast ballast(folder_.path(), kBytes);
  EXPECT_FALSE(ballast.there());
  ballast.look(kStart, kNone);
  EXPECT_GE(room(), kBytes);
}

}  // namespace
}  // namespace holdfast::qmgr
