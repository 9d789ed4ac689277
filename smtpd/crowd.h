// Whether one more client can be served: by its number, and by what this process still has of descriptors and
// memory. Who is turned away gets a 421 and comes again; those who are here end well.
#pragma once

#include <cstddef>
#include <string_view>

namespace holdfast::smtpd {

inline constexpr std::string_view kTooMany = "Too many connections, try again later";
inline constexpr std::string_view kShort = "Short of resources, try again later";

// Most clients that `descriptors` (the process's limit) are enough for: each has one of its own and may need one
// for its message's content or to the destination, and some are ours.
std::size_t clients_for(std::size_t descriptors);

// Most clients at a time: as many as the configuration allows, or as the descriptors are enough for.
std::size_t most_clients(std::size_t configured);

// Why the next client is turned away; empty: it is not. `clients` are here, `most` the configuration allows.
std::string_view turned_away(std::size_t clients, std::size_t most);

}  // namespace holdfast::smtpd
