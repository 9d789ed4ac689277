// A broken invariant ends the process; master starts another, which finds its state on disk again.
#pragma once

#include <source_location>
#include <string_view>

namespace holdfast::base {

// Called with the text of a panic before abort(): a daemon writes it to its log. One hook a process.
void set_panic_hook(void (*hook)(std::string_view text));

[[noreturn]] void panic(std::string_view what,
                        std::source_location where = std::source_location::current());

inline void expect(bool truth, std::string_view what,
                   std::source_location where = std::source_location::current()) {
  if (!truth) panic(what, where);
}

}  // namespace holdfast::base
