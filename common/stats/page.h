// The memory of one process's numbers: made by master, handed to the process as a descriptor, read by master at any
// time, whatever the process does. No other process sees it.
#pragma once

#include <cstdint>
#include <memory>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/stats/counters.h"
#include "common/stats/destinations.h"

namespace holdfast::stats {

// What a page holds, or several together.
struct Tally : Numbers {
  Destinations destinations;

  Tally& operator+=(const Tally& other);
};

class Page {
 public:
  // Master's: memory of the right size, which nobody can change.
  static base::Result<base::UniqueFd> make();
  // The memory of that descriptor, which stays the caller's.
  static base::Result<Page> open(int fd);

  // This process counts there from now on, and says what its table is. Before there are threads; the page must
  // stay as long as the process. It begins at 0.
  void use() const;

  // As they are now; zeroes when who writes there has another table than we (another build).
  Tally read() const;
  void clear() const;

 private:
  struct Layout;
  struct Unmap {
    void operator()(Layout* memory) const;
  };
  explicit Page(Layout* memory) : memory_(memory) {}

  std::unique_ptr<Layout, Unmap> memory_;
};

// What tells one table of counters from another.
std::uint64_t layout_number();

}  // namespace holdfast::stats
