// Postfix's lookup tables, as far as their text can be read: hash:FILE and its like from FILE (postmap(1)), texthash:,
// inline:, static: (DATABASE_README).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "import/found.h"

namespace holdfast::importer {

struct PostfixMap {
  bool is_static = false;                                       // each key has this one value
  std::vector<std::pair<std::string, std::string>> entries;     // keys in lower case, in the order of the file

  const std::string* find(std::string_view key) const;
};

// "hash:/etc/postfix/transport". kData: a kind whose entries cannot be known here (regexp:, ldap:, …), or a broken line.
base::Result<PostfixMap> read_postfix_map(const std::string& table, const ReadFile& read);

// Is it TYPE:NAME?
bool is_postfix_map(std::string_view item);

// A file of a list, as relay_domains may name one: its words, in lower case.
base::Result<std::vector<std::string>> read_postfix_words(const std::string& file, const ReadFile& read);

}  // namespace holdfast::importer
