// A message's content in wire format (CRLF, dots doubled at line starts), cut into what a filter is told of it: header
// fields one by one, the end of the header, the body in chunks.
//
//   ContentFeed feed;
//   feed.give(bytes); … feed.end();
//   while (auto part = feed.next()) …
//
// The header ends as mail::HeaderGate sees it: with the empty line, or before the first line that is no field, which is
// body then. A field waits in memory for its end; how long it may be is bounded before (smtpd.header_size_limit).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/milter/protocol.h"

namespace holdfast::milter {

// "Name" and what stands behind its colon, its lines parted by LF and without the last line's end.
struct Field {
  std::string name;
  std::string value;
  bool operator==(const Field&) const = default;
};

struct ContentPart {
  Stage stage = Stage::kHeader;  // kHeader, kEndOfHeader, kBody or kEndOfMessage
  Field field;                   // kHeader
  std::string chunk;             // kBody: plain, at most FilterSession::kBodyChunk bytes
};

class ContentFeed {
 public:
  void give(std::string_view wire) { held_.append(wire); }
  void end() { ended_ = true; }

  // The next part; nothing when more bytes are needed, and after kEndOfMessage.
  std::optional<ContentPart> next();
  // From here on all is body: where it begins, counted in bytes of what was given. Valid after kEndOfHeader.
  std::uint64_t body_begins() const { return body_begins_; }

 private:
  enum class Place { kHeader, kBody, kDone };

  std::optional<ContentPart> header_step();
  std::optional<ContentPart> body_step();
  std::optional<std::size_t> field_end() const;
  ContentPart end_header(std::size_t empty_line);
  void forget(std::size_t count);

  std::string held_;
  std::size_t used_ = 0;
  std::string chunk_;
  std::uint64_t body_begins_ = 0;
  Place place_ = Place::kHeader;
  bool ended_ = false;
  bool line_start_ = true;  // of the body
};

// "Name: value" of one field in wire format, folded or not, with or without its last line's end; nothing if it is none.
std::optional<Field> parse_field(std::string_view wire);

}  // namespace holdfast::milter
