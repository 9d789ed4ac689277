// What filters want changed, put into the message. Pure but for the content's own storage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/milter/verdict.h"
#include "common/storage/content.h"

namespace holdfast::filtering {

struct AddedRecipient {
  std::string address;
  std::string parameters;  // as of RCPT
  bool operator==(const AddedRecipient&) const = default;
};

// Of the envelope, by all filters together, in their order; the content is changed by then. Addresses without brackets, in
// whatever case, and maybe none at all: they are a filter's words.
struct EnvelopeChanges {
  std::optional<std::string> sender;      // another, maybe ""
  std::vector<AddedRecipient> added;
  std::vector<std::string> deleted;       // before any of `added` comes in; maybe none of the message's
  std::optional<std::string> quarantine;  // the first reason given: the message is to be held

  bool empty() const { return !sender && added.empty() && deleted.empty() && !quarantine; }
};

// Puts one filter's edits into `content` (wire format, without our Received field), whose body begins behind
// `body_begins` bytes, and into `changes`. `leading_space`: Terms::leading_space(). Fails when the content cannot be
// read, or its new body not be stored.
base::Status apply_edits(const milter::Edits& edits, bool leading_space, std::uint64_t body_begins, const std::string& folder,
                         storage::Content& content, EnvelopeChanges& changes);

// A body as a filter wrote it in wire format: lines end with CRLF (a bare CR or LF is an end of line too, so that nobody
// can smuggle by a filter's body), a dot at a line's beginning is doubled, the last line has its end.
std::string body_to_wire(std::string_view plain);

}  // namespace holdfast::filtering
