// Writer numbers (design.md section 4): each start of a daemon that writes records gets one, and none is
// ever given twice, since segments and queue ids are named by them.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/error.h"
#include "common/config/config.h"

namespace holdfast::master {

// The counter in paths.state/writer-number. The file holds the last number given, and is on disk (fsync of
// file and folder) before that number leaves next().
class WriterNumbers {
 public:
  static constexpr std::uint32_t kLast = (1U << 24) - 1;  // what a queue id has room for
  // Left free when the counter was lost: numbers whose segments are gone from disk and index may stand in logs.
  static constexpr std::uint32_t kGap = 1000;

  // Reads the counter; one that is missing or damaged is begun anew behind the highest number that a segment or
  // the index knows, and `warning()` says so. A first start finds none of these, and begins with 1.
  static base::Result<WriterNumbers> open(const config::Paths& paths);

  // kNoSpace when all are used up (after 16 million starts).
  base::Result<std::uint32_t> next();

  const std::string& warning() const { return warning_; }

 private:
  std::string file_, warning_;
  std::uint32_t last_ = 0;
};

}  // namespace holdfast::master
