// The rows a record begins its life with in the index: what its envelope says, due at once. Lifetimes
// (expires_ms, warn_ms) are the caller's: they come from the configuration.
#pragma once

#include <string>
#include <vector>

#include "common/mail/envelope.h"
#include "common/storage/queue_index.h"
#include "common/storage/segment_reader.h"

namespace holdfast::storage {

MessageRow first_row(const Record& record);
// For a record that was just written. `size` is of the content.
MessageRow first_row(const mail::Envelope& envelope, const mail::RecordRef& ref, std::uint32_t generation,
                     std::uint64_t size);
std::vector<RecipientState> first_recipients(const mail::Envelope& envelope);

// The domains of its recipients, lower case, each once, in order.
std::vector<std::string> recipient_domains(const mail::Envelope& envelope);

}  // namespace holdfast::storage
