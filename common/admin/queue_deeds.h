// What can be done to messages of the queue, and how qmgr is told. Pure, but for the time zone.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/admin/queue_filter.h"
#include "common/base/error.h"

namespace holdfast::admin {

// What a command would do, and what it has done.
struct Deed {
  const char* name;  // "delete"; "queue.delete" is qmgr's command
  const char* done;  // "deleted"
  const char* help;
  bool destroys;
};

std::span<const Deed> all_deeds();
// nullptr: that is none.
const Deed* find_deed(std::string_view name);

// The words of its command; kUsage as QueueWords::for_qmgr() says, and for a time that is none.
base::Result<std::vector<std::string>> words_of(const Deed& deed, const QueueWords& words);

}  // namespace holdfast::admin
