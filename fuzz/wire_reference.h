// Decoders of content on the wire, written straight from RFC 5321 section 4.5.2 and RFC 3030 section 2, as slow and as
// plain as can be: what the fuzz targets compare the product's with. They share no line with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::fuzz {

struct Decoded {
  std::string content;        // wire format: CRLF lines, dots doubled, no final "." line
  std::uint64_t octets = 0;   // without the doubled dots
  bool bare_newline = false;  // a CR or LF stood alone; in `content` it is a line's end
};

// Whether what follows 354 ends with its last byte: CRLF.CRLF, or ".CRLF" and nothing before.
bool ends_data(std::string_view raw);
// `raw`: all from behind 354 to the end, the final "." line included.
Decoded decode_data(std::string_view raw);
// The octets of all chunks of a message, in a row.
Decoded decode_chunks(std::string_view raw);

// "BDAT 12 LAST", without its line end, in any case and with any number of blanks.
struct ChunkLine {
  std::uint64_t size = 0;
  bool last = false;
};
std::optional<ChunkLine> read_chunk_line(std::string_view line);

}  // namespace holdfast::fuzz
