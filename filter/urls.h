// The hosts that a text's links lead to. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace holdfast::filter {

// Told of each host, in ASCII and lower case, a numeric IPv4 address as four numbers; may be told of one that is no link in
// the end. False: enough has been seen.
using HostTaker = std::function<bool(const std::string& host)>;

// `text` in UTF-8 or any encoding that has ASCII within. With `html` entities are resolved, and line ends in links passed
// over, as browsers do.
void find_hosts(std::string_view text, bool html, const HostTaker& take);

// "&#x68;ttp&colon;" as "http:". Names of letters are left as they are.
std::string without_entities(std::string_view text);

}  // namespace holdfast::filter
