// Room on the spool's file system, and the rule by which mail is refused before anything breaks (design.md
// section 4): under the reserve 452 4.3.1 at MAIL. The rule is pure; smtpd, qmgr and gatewayctl share it.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/error.h"
#include "common/base/time.h"

namespace holdfast::storage {

struct Space {
  std::uint64_t bytes = 0, free_bytes = 0;    // free: for us, not for root alone
  std::uint64_t inodes = 0, free_inodes = 0;  // 0 of 0: the file system does not count them

  int free_percent() const;
};

// What is left alone: the less of `percent` of the file system and `bytes`, where 0 is one that was not given and
// both 0 is nothing; of inodes the less of `percent` (1 to 10) of them and 1,000, since a segment takes one inode for thousands of messages.
struct Reserve {
  int percent = 10;
  std::uint64_t bytes = 1 << 30;

  std::uint64_t bytes_of(const Space& space) const;
  std::uint64_t inodes_of(const Space& space) const;
};

// True when a message of `size` bytes (0: not known) can be taken without going under the reserve.
bool accepts(const Space& space, const Reserve& reserve, std::uint64_t size = 0);

// One statvfs().
base::Result<Space> read_space(const std::string& folder);

// Takes `bytes` in a file without a name in `folder` and gives them back: kNoSpace when they are not to be had, be it
// for a user's quota, of which statvfs() knows nothing. Blocks.
base::Status try_room(const std::string& folder, std::uint64_t bytes);

// read_space(), asked of the file system once a second at most. Space that cannot be read counts as enough: the
// write will tell.
class SpaceWatch {
 public:
  explicit SpaceWatch(std::string folder) : folder_(std::move(folder)) {}

  void set_reserve(const Reserve& reserve) { reserve_ = reserve; }
  bool accepts(base::Mono now, std::uint64_t size = 0);
  const Space& space() const { return space_; }
  const Reserve& reserve() const { return reserve_; }

 private:
  const std::string folder_;
  Reserve reserve_;
  Space space_;
  base::Mono read_at_{};
  bool known_ = false;
};

}  // namespace holdfast::storage
