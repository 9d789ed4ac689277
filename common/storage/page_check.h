// The pages of an LMDB file, looked at one by one: LMDB keeps no checksums, and a page that claims another's number, or
// a free list that names a page in use, does no harm until LMDB writes the next time. The layout is that of LMDB 0.9's
// data file (mdb.c, "Page Format"), version 1, with 64-bit page numbers.
//
// What must hold: both meta pages are sound and one transaction apart; every page behind them is in use once, or
// free, and never both; a page in use has its own number and its kind; its nodes fill it without gaps or overlaps;
// each tree has as many pages as it says.
#pragma once

#include <functional>
#include <string>

#include "common/base/error.h"
#include "common/storage/lmdb.h"

namespace holdfast::storage {

// Gives out a line for each fault, "page 50: it has the number 51". Beside a writer too: a view of its own keeps the
// pages it looks at. An error when the file cannot be read or no view can be had.
base::Status check_pages(Env& env, const std::function<void(std::string)>& fault);

}  // namespace holdfast::storage
