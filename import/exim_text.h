// Exim's configuration file (its specification, chapter 6): lines, macros, .ifdef, .include, and what they say. Expansions
// ("${…}") are not looked into.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/found.h"

namespace holdfast::importer {

// "name = value"; of "domainlist relay = a : b" the name is "domainlist relay". A flag has the value "true" or "false".
using EximOptions = std::map<std::string, std::string>;

struct EximDriver {  // a router or a transport
  std::string name;
  EximOptions options;

  const std::string* find(const std::string& option) const;
};

struct EximFile {
  EximOptions main;
  std::vector<EximDriver> routers, transports;
  std::vector<std::string> unread;  // files that it includes, and that could not be read
};

// kData, with the line: a .if without its end, or an option outside any driver.
base::Result<EximFile> parse_exim(const std::string& text, const ReadFile& read);

// A list (chapter 6.20): parted by colons, doubled ones being meant; "<; a ; b" says another sign.
std::vector<std::string> exim_list(std::string_view text);

}  // namespace holdfast::importer
