// A file beside the index that holds nothing but room (design.md section 4, step 8). LMDB needs fresh pages even to
// delete: on a disk that is full to the last block the queue could not drain. So when a commit meets a full disk the
// ballast is given up, and it is made again when there is room for it and the reserve.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/time.h"
#include "common/storage/space.h"

namespace holdfast::qmgr {

class Ballast {
 public:
  static constexpr std::uint64_t kBytes = 64ULL << 20;
  // After it was given up it is not made again for so long, lest a full disk that claims to have room (a user's
  // quota) be asked for ever.
  static constexpr base::Seconds kRest{60};

  explicit Ballast(const std::string& spool, std::uint64_t bytes = kBytes);

  // Makes it, if it is not there and nothing speaks against it. Takes no time where the file system can reserve
  // blocks (fallocate); where it cannot there is no ballast, and a warning.
  void look(base::Mono now, const storage::Reserve& reserve);
  // Gives it up; false when there was none.
  bool release(base::Mono now);
  bool there() const { return there_; }

 private:
  bool make();

  const std::string path_, folder_;
  const std::uint64_t bytes_;
  bool there_ = false, impossible_ = false;
  base::Mono released_{};
};

}  // namespace holdfast::qmgr
