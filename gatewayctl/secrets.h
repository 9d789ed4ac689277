// Takes out of a text what nobody else should read, before it leaves the house. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::gatewayctl {

// Hides, each as "[hidden]": each of `secrets` wherever it stands (those under 4 octets are too common, and are left);
// private keys (PEM); the value behind a name that speaks of a password, a token, a secret or an authorization, up to the
// line's end, unless it names a file; what stands before @ in a URL, and what follows the host of http and https.
std::string without_secrets(std::string_view text, const std::vector<std::string>& secrets);

// "boss@example.org" becomes "b..@example.org": whoever helps needs the domain, and to tell one from another.
std::string without_people(std::string_view text);

}  // namespace holdfast::gatewayctl
