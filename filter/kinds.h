// What a file is by its bytes: a small table of our own. Pure.
#pragma once

#include <string_view>

namespace holdfast::filter {

enum class Kind { kOther, kExecutable, kShortcut, kScript, kImage };

// So many of a file's first bytes decide (an ISO 9660 image says it at 32,769).
inline constexpr std::size_t kHead = 36'864;

Kind kind_of(std::string_view head);

// Something that archive.h opens, by its first bytes, or a zip by its end (bytes may stand before it).
bool is_archive(std::string_view bytes);
// One that is a single compressed file.
bool is_compressed(std::string_view head);
bool is_zip(std::string_view bytes);

// Of Office before 2007, and the parts of later ones that hold macros. Looks at the whole file.
bool is_ole(std::string_view head);
bool ole_has_macros(std::string_view bytes);
// The name of an entry by which a zip is an office document with macros (OOXML, OpenDocument); `plain` is a plain_name(),
// `path` the whole in lower case.
bool is_macro_entry(std::string_view plain, std::string_view path);

}  // namespace holdfast::filter
