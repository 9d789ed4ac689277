// Whether mail is taken without asking those who might refuse it: lists, DNS block lists, greylisting, filters
// (decision 20). Pure.
#pragma once

#include "common/config/bypass.h"
#include "common/storage/directory.h"

namespace holdfast::smtpd {

// While the domain's destination is `down`, and `while_down.filtering` says so, a pause being no emergency; or by the
// admin's hand, whatever the destination does.
inline bool bypassed(const config::Config& config, const config::Domain& domain, bool down, storage::HandWord by_hand) {
  using enum storage::HandWord;
  return config::bypasses(config, domain, down, by_hand == kAuto ? std::nullopt : std::optional(by_hand == kBypass));
}

}  // namespace holdfast::smtpd
