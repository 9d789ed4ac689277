#include "common/admin/content_reader.h"

#include "common/base/text.h"

namespace holdfast::admin {

base::Result<storage::Record> open_record(const Gateway& gateway, const storage::Listed& item) {
  return storage::Record::open(storage::segments_folder(gateway.config().paths.spool), item.message.record, item.id,
                               item.message.generation);
}

std::string ContentReader::take(std::string_view piece) {
  std::string out;
  out.reserve(piece.size());
  for (const char c : piece) {
    const bool stuffed = line_start_ && c == '.';
    line_start_ = c == '\n';
    if (stuffed) continue;
    if (!for_terminal_ || c == '\n' || c == '\t') {
      out += c;
    } else if (c != '\r') {
      const auto byte = static_cast<unsigned char>(c);
      // U+0080 to U+009F, the second set of control characters, are C2 and 80 to 9F in UTF-8.
      const bool harmless = byte >= 32 && byte != 127 && !(before_ == 0xC2 && byte >= 0x80 && byte < 0xA0);
      out += harmless ? std::string(1, c) : base::printable({&c, 1});
    }
    before_ = static_cast<unsigned char>(c);
  }
  return out;
}

}  // namespace holdfast::admin
