// Files of recipients that other systems write. Pure: text in, addresses out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"

namespace holdfast::gatewayctl {

enum class RecipientFormat {
  kList,     // an address a line, # begins a comment
  kCsv,      // RFC 4180, separated by comma, semicolon or tab
  kPostfix,  // a table for relay_recipient_maps: key, white space, value
};

struct RecipientFile {
  std::vector<std::string> addresses;  // in the file's order, as written
  std::size_t passed_over = 0;         // whole domains (@example.org), REJECT, fields that are no address
};

// `column` of a CSV file: its head's name in any case, or its number from 1; empty: the first whose head speaks of an
// address or mail, else, without such a head, each field that is an address. A field may hold several, as Exchange's
// proxyAddresses does: "SMTP:a@example.org;smtp:b@example.org;X500:…". kData with the line's number: an address that is
// none (list, Postfix), no such column, a quote that does not end.
base::Result<RecipientFile> parse_recipients(std::string_view text, RecipientFormat format, std::string_view column = {});

}  // namespace holdfast::gatewayctl
