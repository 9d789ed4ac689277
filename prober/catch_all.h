// Whether a domain's destination accepts any address at all (design.md section 3, The directory): asked
// daily with a random one. Pure but for the randomness of random_recipient().
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/time.h"
#include "common/mail/reply.h"
#include "common/storage/directory.h"

namespace holdfast::prober {

inline constexpr base::Millis kCatchAllEvery{24 * 3600'000};

// `row` may be missing. A domain that has moved to another destination is tested anew.
bool catch_all_due(const std::optional<storage::DomainRow>& row, std::string_view destination, base::Wall now);

// An address that nobody has.
std::string random_recipient(std::string_view domain);

// Nothing where the reply says nothing: a 4xx, a 252, or a refusal that contradicts an earlier yes while
// postmaster is refused too (that server refuses everybody at the moment).
std::optional<storage::CatchAll> judge_catch_all(const mail::Reply& reply, storage::CatchAll before,
                                                 bool postmaster_accepted);

}  // namespace holdfast::prober
