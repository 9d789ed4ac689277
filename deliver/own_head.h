// The header fields that smtpd puts on top of what it keeps. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::deliver {

// How much of the beginning of unfiltered mail is our Received field (before which a copy has its mark) and the mark behind
// it; 0: it does not begin so.
std::size_t own_head(std::string_view content);

// Such a head, with the mark of mail that has been put through the filters since.
std::string rescanned(std::string_view head);

}  // namespace holdfast::deliver
