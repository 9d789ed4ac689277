// The present, handed to the pure parts of the prober: intervals by the one clock, what is stored and
// shown by the other.
#pragma once

#include "common/base/time.h"

namespace holdfast::prober {

struct Now {
  base::Mono mono;
  base::Wall wall;
};

}  // namespace holdfast::prober
