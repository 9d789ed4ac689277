// One line of an allow or block list (docs/lists.md). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/base/network.h"

namespace holdfast::policy {

enum class ListKind : std::uint8_t { kClient, kHelo, kSender, kRecipient };
std::string_view to_text(ListKind kind);  // "client", "helo", "sender", "recipient"

struct Entry {
  enum class Form : std::uint8_t {
    kExact,       // an address "user@example.org", "" for <>; of HELO an address literal
    kLocal,       // "user@": of any domain
    kDomain,      // "example.org" and nothing below it
    kSubdomains,  // ".example.org": it and all below it
    kNetwork,
    kRegex,
  };
  Form form = Form::kExact;
  std::string key{};        // lower case, domains as A-labels; a regex's pattern as it was written; empty for a network
  base::Network network{};
};

// kConfig: what is wrong with it, with the text in quotes; regular expressions are compiled once to know.
base::Result<Entry> parse_entry(ListKind kind, std::string_view text);

}  // namespace holdfast::policy
