// What an admin may want to be alerted of: one call writes the line `event=NAME key="value" …` into the log, at its
// level, and hands the same to the hook, by which it reaches alertd (common/daemon/event_sender.h). Names and keys
// are ours; values may hold what came from outside.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast::base {

enum class Level { kNotice, kWarning, kError };

using Facts = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// From any thread.
void announce(Level level, std::string_view name, Facts facts);

// The line, without date and tag.
std::string event_text(std::string_view name, Facts facts);

// Called by announce(), on its caller's thread. Set it while nobody announces: at start and at the end; empty: nobody.
void set_announce_hook(std::function<void(std::string_view name, const Facts& facts)> hook);

}  // namespace holdfast::base
