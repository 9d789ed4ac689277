#include "common/base/error.h"

#include <cerrno>

#include <gtest/gtest.h>

#include "common/base/panic.h"

namespace holdfast::base {
namespace {

TEST(Error, TheKindGivesTheExitCode) {
  EXPECT_EQ(exit_code(Kind::kUsage), 64);
  EXPECT_EQ(exit_code(Kind::kData), 65);
  EXPECT_EQ(exit_code(Kind::kNotFound), 67);
  EXPECT_EQ(exit_code(Kind::kUnavailable), 69);
  EXPECT_EQ(exit_code(Kind::kInternal), 70);
  EXPECT_EQ(exit_code(Kind::kNoSpace), 75);
  EXPECT_EQ(exit_code(Kind::kTemporary), 75);
  EXPECT_EQ(exit_code(Kind::kPermission), 77);
  EXPECT_EQ(exit_code(Kind::kConfig), 78);
}

TEST(Error, AFailedCallHasItsKindAndSaysWhatWasTried) {
  const auto kind = [](int err) { return fail_errno("x", err).error().kind; };
  EXPECT_EQ(kind(ENOSPC), Kind::kNoSpace);
  EXPECT_EQ(kind(EDQUOT), Kind::kNoSpace);
  EXPECT_EQ(kind(ENOENT), Kind::kNotFound);
  EXPECT_EQ(kind(EACCES), Kind::kPermission);
  EXPECT_EQ(kind(ECONNREFUSED), Kind::kUnavailable);
  EXPECT_EQ(kind(EIO), Kind::kInternal);
  EXPECT_EQ(fail_errno("/etc/x", ENOENT).error().text, "/etc/x: No such file or directory");
}

TEST(PanicDeathTest, SaysWhatAndWhereAndAborts) {
  EXPECT_DEATH(panic("the sky fell"), "panic: the sky fell \\(.*error_test.cc:[0-9]+\\)");
  EXPECT_DEATH(expect(1 > 2, "order"), "panic: order");
  expect(true, "nothing happens");
}

}  // namespace
}  // namespace holdfast::base
