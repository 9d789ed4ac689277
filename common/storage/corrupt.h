// Damaged mail is set aside in paths.spool/corrupt, for a person to look at (design.md section 4, step 4).
#pragma once

#include <cstdint>
#include <string>

#include "common/base/error.h"
#include "common/mail/queue_id.h"
#include "common/mail/record_ref.h"
#include "common/storage/segment_reader.h"

namespace holdfast::storage {

// Copies what can be read of [offset, offset + length) of a segment to corrupt/NAME, and fsyncs it; blocks that
// the disk does not give are zeros there, blocks of zeros at its end are left out. What is there under that name
// already is replaced. Nothing is copied, and the name is empty, when all of it is zeros: there never was a record.
base::Result<std::string> set_aside(const std::string& spool, const Segment& segment, std::uint64_t offset,
                                    std::uint64_t length, const std::string& name);
// A record whose header is, or was, sound: corrupt/SEGMENT-OFFSET-ID. For a message whose damage a delivery
// has found: opens the segment itself.
base::Result<std::string> set_aside(const std::string& spool, const mail::RecordRef& record, mail::QueueId id);
std::string record_name(SegmentId segment, std::uint64_t offset, mail::QueueId id);
// corrupt/SEGMENT-OFFSET-ID or, of blocks, corrupt/SEGMENT-OFFSET-blocks.
base::Result<std::string> set_aside(const std::string& spool, const Segment& segment, const Damage& damage);

// Moves the file of a segment that has no sound header: nothing in it can be checked.
base::Status move_aside(const std::string& spool, SegmentId id);

}  // namespace holdfast::storage
