// What is checked of `filters` when all else is read.
#pragma once

#include "common/config/finish.h"

namespace holdfast::config {

void finish_filters(Draft& draft);

}  // namespace holdfast::config
