// The token of this installation: made once, kept in the state folder. smtpd shows it in its answer to
// EHLO, so that the prober recognises a "destination" that is ourselves (design.md section 3, Detection).
#pragma once

#include <string>
#include <string_view>

#include "common/base/error.h"

namespace holdfast::base {

// The EHLO keyword; the token is its only parameter: "X-HOLDFAST-TOKEN 0123456789abcdef0123456789abcdef".
inline constexpr std::string_view kTokenKeyword = "X-HOLDFAST-TOKEN";

// Reads STATE/token, or makes it when it is not there. Processes that do so at once agree on one token.
// Blocks on the disk: call it at start only.
Result<std::string> installation_token(const std::string& state_folder);

}  // namespace holdfast::base
