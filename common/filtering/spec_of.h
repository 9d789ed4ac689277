// A configured filter as what asks it needs it.
#pragma once

#include "common/config/filters.h"
#include "common/filtering/spec.h"

namespace holdfast::filtering {

// Of checked settings: its address is one.
FilterSpec spec_of(const config::Filter& filter, const config::Paths& paths);

}  // namespace holdfast::filtering
