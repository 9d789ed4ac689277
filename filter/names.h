// Names of files as their receiver's system will read them. Pure.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::filter {

// Lower case, without folders, and without what hides a name's end from who looks at it: marks that turn the direction of
// writing, invisible and control characters, dots and blanks behind; characters of other widths become plain ones
// (Unicode NFKC). `name` in UTF-8 or not.
std::string plain_name(std::string_view name);

// It turns the direction of writing, as no honest name of a file does ("invoice" U+202E "fdp.exe" looks like a PDF).
bool is_disguised(std::string_view name);

// For a reply: printable ASCII without quotes and backslashes, '?' for all else, at most 60 characters, the end of a longer
// one kept.
std::string shown_name(std::string_view name);

// The name without its last ending: "a.tar.gz" gives "a.tar".
std::string_view without_ending(std::string_view name);

}  // namespace holdfast::filter
