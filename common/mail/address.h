// Mail addresses: the grammar of RFC 5321 section 4.1.2, and the keys under which recipients are known.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::mail {

// As written: mail goes on with these very bytes. An empty local part and domain is the null path <>.
struct Address {
  std::string local;   // with its quotes, if it had any
  std::string domain;  // without brackets' removal: "[192.0.2.1]" stays so; empty for <> and <postmaster>

  bool null() const { return local.empty(); }
  bool ascii() const;  // else it may only go where SMTPUTF8 is offered (RFC 6531)
  std::string text() const;  // "local@domain", "postmaster", or ""
  bool operator==(const Address&) const = default;
};

// In octets. RFC 5321 section 4.5.3.1 asks for 64 and 255 at least; senders made by SRS and VERP are longer
// in practice, and whether they are wanted is the destination's word. A directory key stays under LMDB's 511.
inline constexpr std::size_t kMaxLocal = 192;
inline constexpr std::size_t kMaxDomain = 255;
inline constexpr std::size_t kMaxAddress = 320;

// "local@domain" without angle brackets; nothing if it is not a Mailbox. Dots may stand anywhere in the local part
// and underscores in the domain: such addresses exist. With `utf8` (RFC 6531 section 3.3) well-formed UTF-8 may stand
// in the local part, and the domain may be one that has an A-label form (base::ascii_domain()); else ASCII only.
std::optional<Address> parse_address(std::string_view text, bool utf8 = false);

// A path at the start of `text`, as MAIL and RCPT carry it: "<local@domain>", "<>" if allow_null,
// "<postmaster>" in any case if allow_postmaster; a source route is accepted and dropped (RFC 5321
// appendix C). `rest` gets what stands behind the closing bracket.
struct PathRules {
  bool allow_null = false;
  bool allow_postmaster = false;
  bool utf8 = false;
};
std::optional<Address> parse_path(std::string_view text, PathRules rules, std::string_view& rest);

// The key of a recipient in the directory: case folded (of ASCII), the domain in its A-label form, and with a delimiter ("+"; of several
// characters each is one) the extension left out. Needless quotes of the local part are dropped.
std::string recipient_key(const Address& address, std::string_view recipient_delimiter);

// SRS (SRS0=, SRS1=) and BATV (prvs=, msprvs1=, btv1==) addresses are made for one message: they are not learnt.
bool is_one_time_address(const Address& address);

}  // namespace holdfast::mail
