// Other known recipients to ask about beside one that is suspected: whether a destination refuses one
// person or everybody (design.md section 3, Forgetting).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/storage/directory.h"

namespace holdfast::prober {

struct SampleWish {
  std::string_view destination;
  std::vector<std::string> domains;    // that go there
  std::vector<std::string> leave_out;  // keys that are asked about anyway
  std::vector<std::string> recent;     // accepted lately: the first to be asked
  std::size_t most = 4;
  std::int64_t now_ms = 0;
  storage::KeepRule keep;
};
struct Sample {
  std::vector<std::string> keys;
  bool complete = false;  // there are no other known recipients
};

// Only what the destination itself accepted once counts as known here, not what the admin says. Looks at
// a bounded number of rows, so that it may run on the event loop; `random` turns the choice.
Sample sample_known(const storage::Directory& directory, const storage::Txn& txn, const SampleWish& wish,
                    std::uint64_t random);

}  // namespace holdfast::prober
