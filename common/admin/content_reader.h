// What a message's content looks like to whoever reads it.
#pragma once

#include <string>
#include <string_view>

#include "common/admin/gateway.h"
#include "common/storage/segment_reader.h"

namespace holdfast::admin {

// The message's record in the spool, not verified.
base::Result<storage::Record> open_record(const Gateway& gateway, const storage::Listed& item);

// Content as it lies in the spool, in pieces, to what a person reads: dots unstuffed, and for a terminal
// CRLF to LF and control characters made harmless.
class ContentReader {
 public:
  explicit ContentReader(bool for_terminal) : for_terminal_(for_terminal) {}
  std::string take(std::string_view piece);

 private:
  bool for_terminal_;
  bool line_start_ = true;
  unsigned char before_ = 0;
};

}  // namespace holdfast::admin
