// Whether mail is taken without asking those who might refuse it: lists, DNS block lists, greylisting, filters
// (decision 20). Pure.
#pragma once

#include "common/config/config.h"
#include "common/mail/destination_state.h"

namespace holdfast::smtpd {

// While the domain's destination is down, and `while_down.filtering` says so. A pause is no emergency.
inline bool bypassed(const config::Config& config, const config::Domain& domain, mail::DestinationState state) {
  if (state != mail::DestinationState::kDown) return false;
  return (domain.filtering == "default" ? config.filtering : domain.filtering) == "bypass";
}

}  // namespace holdfast::smtpd
