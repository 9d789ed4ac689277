// Whether mail of a domain is taken without asking those who might refuse it: lists, DNS block lists, greylisting, filters
// (decision 20). The one rule, for smtpd that acts by it and for those who tell of it. Pure.
#pragma once

#include <algorithm>
#include <optional>

#include "common/config/config.h"

namespace holdfast::config {

// Somebody would be asked about the domain's mail, by one listener at least.
inline bool asks_anybody(const Config& config, const Domain& domain) {
  return config.screens(domain) || std::ranges::any_of(config.filters, [&](const Filter& f) { return f.asks_after(domain.name); });
}

// `down`: its destination is; a pause is no emergency. `by_hand`: what the admin said last, if that still holds.
inline bool bypasses(const Config& config, const Domain& domain, bool down, std::optional<bool> by_hand) {
  if (by_hand) return *by_hand;
  return down && (domain.filtering == "default" ? config.filtering : domain.filtering) == "bypass";
}

}  // namespace holdfast::config
