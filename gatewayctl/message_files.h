// A message in files: ID.eml, its content as any mail program reads it, and ID.json beside it, what is known of it
// besides: envelope, open recipients, arrival, expiry, state. What `queue export` writes and `queue import` reads.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/mail/envelope.h"
#include "common/storage/queue_index.h"

namespace holdfast::gatewayctl {

// The text of ID.json: an object that people can read, with a newline at its end. `eml_bytes` is the size of ID.eml.
std::string description_of(const storage::Listed& item, const mail::Envelope& envelope, std::uint64_t eml_bytes,
                           std::string_view hostname);

struct Description {
  mail::Envelope envelope;      // of the recipients still open; `hold` is set when it was held or frozen
  std::uint64_t eml_bytes = 0;  // what the .eml must have
};
// kData: not such a text, or one without an open recipient; nothing in it is believed.
base::Result<Description> parse_description(std::string_view text);

}  // namespace holdfast::gatewayctl
