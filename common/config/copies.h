// What is checked of `while_down.copy` when all else is read (decision 27).
#pragma once

#include "common/config/finish.h"

namespace holdfast::config {

// The keys become those of the directory (mail::recipient_key()). An error is what could never help, or could loop: an address that is
// none, a copy of mail that is not for us, a target that is copied itself, or that goes down together with the original.
void finish_copies(Draft& draft);

}  // namespace holdfast::config
