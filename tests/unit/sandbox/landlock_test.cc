#include "common/sandbox/landlock.h"

#include <algorithm>

#include <linux/landlock.h>

#include <gtest/gtest.h>

#include "common/sandbox/sandbox.h"

namespace holdfast::sandbox {
namespace {

const Folders kFolders{.spool = "/s", .state = "/t", .run = "/r", .log = "/l"};

bool has(const std::vector<Opening>& open, const std::string& path) {
  return std::ranges::find(open, path, &Opening::path) != open.end();
}

TEST(Landlock, AReaderOfADatabaseWritesItsLockAlone) {
  const auto open = openings(Place::kDirectory, Access::kReadDatabase, kFolders);
  ASSERT_EQ(open.size(), 2U);
  EXPECT_EQ(open[0].path, "/t/directory");
  EXPECT_EQ(open[0].access & LANDLOCK_ACCESS_FS_WRITE_FILE, 0U);
  EXPECT_EQ(open[1].path, "/t/directory/lock.mdb");
  EXPECT_NE(open[1].access & LANDLOCK_ACCESS_FS_WRITE_FILE, 0U);
}

TEST(Landlock, NobodyRunsAProgramOrMakesADevice) {
  constexpr auto kNever = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                          LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_MAKE_FIFO;
  for (const auto& rights : all_rights()) {
    auto all = system_openings(rights, false);
    for (const auto& [place, access] : rights.folders) {
      for (const auto& opening : openings(place, access, kFolders)) all.push_back(opening);
    }
    for (const auto& opening : all) EXPECT_EQ(opening.access & kNever, 0U) << rights.daemon << " " << opening.path;
  }
}

// Root's uid owns what lies in /etc, shadow and keys among it.
TEST(Landlock, AsRootOnlyNamedFilesOfEtcAreOpen) {
  const auto& smtpd = *rights_of("smtpd");
  EXPECT_FALSE(has(system_openings(smtpd, true), "/etc"));
  EXPECT_TRUE(has(system_openings(smtpd, true), "/etc/resolv.conf"));
  EXPECT_TRUE(has(system_openings(smtpd, false), "/etc"));
  EXPECT_FALSE(has(system_openings(*rights_of("qmgr"), false), "/etc"));
}

}  // namespace
}  // namespace holdfast::sandbox
