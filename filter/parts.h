// What a message's part says of itself, and holds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "filter/gobject.h"

namespace holdfast::filter {

// nullptr: it could not be made out at all.
Ref<GMimeMessage> parse_message(std::string_view bytes);

// All that the part calls itself, in UTF-8: programs differ in which of several they believe.
std::vector<std::string> names_of(GMimeObject* part);
// "text/html", in lower case.
std::string type_of(GMimeObject* part);
// Decoded from its transfer encoding.
std::string content_of(GMimePart* part);
// A text in UTF-8, where its character set is another one; empty: it is not, or that is not known.
std::string converted(GMimePart* part, std::string_view content);

// A file within a text, as uuencode writes it.
struct Uuencoded {
  std::string name, content;
};
std::vector<Uuencoded> uuencoded(std::string_view text);

}  // namespace holdfast::filter
