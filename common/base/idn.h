// International domain names: IDNA 2008 without transitional mappings, by libidn2.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::base {

// The name as DNS and our tables have it: lower case, "bücher.example" as "xn--bcher-kva.example". Nothing where there
// is no such form. An ASCII name is only lower-cased, whatever is in it.
std::optional<std::string> ascii_domain(std::string_view domain);

}  // namespace holdfast::base
