// One message of the queue with what its record in the spool tells: whom it came from, and emergency copies (docs/copies.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/admin/gateway.h"
#include "common/mail/envelope.h"

namespace holdfast::admin {

struct MadeCopy {
  mail::QueueId id;
  std::string to, of;  // addresses: where it goes, and whose mail it is
  bool queued = false;
};

struct RecordTold {
  mail::Envelope envelope;
  std::optional<mail::QueueId> copy_of;  // it is an emergency copy of this message
  std::vector<MadeCopy> copies;          // those made of it, which may have gone out since
};

// Nothing when the record cannot be read. Contents are not verified: their first line is all that is looked at.
std::optional<RecordTold> look_into(const Gateway& gateway, const storage::Listed& item);

// Of the beginning of a content that the spool holds: the original it is a copy of. Pure.
std::optional<mail::QueueId> original_of(std::string_view content);

}  // namespace holdfast::admin
