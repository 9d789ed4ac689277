// Where a message's record lies in the spool (docs/spool-format.md). It goes through the index, to
// deliver, and stands nowhere else than in the segment it names.
#pragma once

#include <cstdint>

namespace holdfast::mail {

struct RecordRef {
  std::uint32_t writer = 0;
  std::uint32_t segment = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  // of the whole record, padding left out

  template <class V>
  void fields(V&& v) { v(writer, segment, offset, length); }
  bool operator==(const RecordRef&) const = default;
};

}  // namespace holdfast::mail
