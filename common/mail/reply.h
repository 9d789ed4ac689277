// An SMTP reply (RFC 5321 section 4.2) with its enhanced status code (RFC 3463) apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::mail {

struct Reply {
  int code = 0;                    // 200 to 599; 0 means "no reply"
  std::string enhanced;            // "5.1.1", or empty when the reply had none
  std::vector<std::string> lines;  // the texts, without code and enhanced code; at least one

  static Reply make(int code, std::string enhanced, std::string text) {
    return {code, std::move(enhanced), {std::move(text)}};
  }

  bool positive() const { return code >= 200 && code < 300; }
  bool intermediate() const { return code >= 300 && code < 400; }
  bool temporary() const { return code >= 400 && code < 500; }
  bool permanent() const { return code >= 500 && code < 600; }

  // "550 5.1.1 No such user": all lines joined by blanks, for logs and for stored outcomes.
  std::string text() const;
  // The reply on the wire: every line with code, enhanced code and CRLF. Lines longer than an RFC 5321
  // reply line (512 octets) are cut, control characters become '?'.
  std::string wire() const;
  void append_wire(std::string& out) const;
  // The enhanced code, or the class's general one ("2.0.0", "4.0.0", "5.0.0"): for dsn= in logs.
  std::string dsn() const;

  bool operator==(const Reply&) const = default;
};

// What a reply says, beyond its first digit (design.md section 3, Forgetting and MAIL and RCPT).

// True where a refusal speaks of the recipient: 5.1.1, 5.1.3, 5.1.6, 5.1.10, 5.2.1, 5.4.1, or a 550, 551
// or 553 without enhanced code.
bool speaks_of_recipient(const Reply& reply);
// The same for a reply kept as text: "550 5.1.1 No such user".
bool speaks_of_recipient(std::string_view reply_text);

// True for "5.1.1" and its like: a digit 2, 4 or 5, and two numbers of up to three digits (RFC 3463 section 2).
bool is_enhanced_code(std::string_view s);

// True for a 4xx that is policy against this sender, so that its own server keeps the mail: the reply's
// enhanced code matches one of `patterns` ("4.1.7", "4.7.*"), or its text speaks of greylisting.
bool is_sender_policy(const Reply& reply, const std::vector<std::string>& patterns);

}  // namespace holdfast::mail
