// `gatewayctl top`: one page of what happens now. Pure.
#pragma once

#include <string>

#include "common/admin/figures.h"

namespace holdfast::admin {

// Rates and times are those since `before`, `seconds` ago; null: there is none yet, and they are dashes. Lines are no
// longer than `width` characters, and there are no more than `height` of them.
std::string top_text(const Figures& now, const Figures* before, double seconds, std::size_t width, std::size_t height);

}  // namespace holdfast::admin
