// Replies as a server sends them (RFC 5321 section 4.2.1), out of lines. Bounded: 200 lines and 20 kB are
// kept, what is over is swallowed, and a reply over 1 MB is an error. Control characters become '?'.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/mail/reply.h"

namespace holdfast::smtp {

class ReplyParser {
 public:
  static constexpr std::size_t kMaxLines = 200;
  static constexpr std::size_t kMaxKept = 20'000;
  static constexpr std::size_t kMaxOctets = 1'000'000;

  enum class Progress { kMore, kComplete };
  // One line without its end; `octets` is what it took on the wire. An error ends the session: kData.
  base::Result<Progress> line(std::string_view text, std::size_t octets);
  // Lines of a reply have come, its last one has not.
  bool begun() const { return octets_ > 0; }
  // The complete reply, once; every line still has its enhanced code (see split_enhanced).
  mail::Reply take();

 private:
  void keep(std::string_view text);

  mail::Reply reply_;
  std::size_t kept_ = 0;
  std::size_t octets_ = 0;
};

// Moves an enhanced status code (RFC 2034, RFC 3463) at the start of the first line that is not empty into
// `enhanced`, and drops the same from the others. One whose class is not the reply's is text.
void split_enhanced(mail::Reply& reply);

}  // namespace holdfast::smtp
