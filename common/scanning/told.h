// What filters are told of a client and a message beside the commands: macros, names and values as Postfix has them (its
// MILTER_README). Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/milter/macros.h"

namespace holdfast::scanning {

struct Visit {
  std::string_view hostname;  // ours
  std::string_view listener;  // that the client came to, as net::SocketAddress::text() has it; empty: not known
  std::string_view name;      // the client's; empty: unknown
  std::string_view address, literal;
  std::uint16_t port = 0;
  std::string_view tls;       // net::TlsFacts::text; empty: in the clear
};
void tell_visit(milter::Macros& macros, const Visit& visit);

void tell_mail(milter::Macros& macros, std::string_view id, std::string_view sender);
// `domain` in lower case.
void tell_recipient(milter::Macros& macros, std::string_view recipient, std::string_view domain);

}  // namespace holdfast::scanning
