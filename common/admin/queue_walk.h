// Goes through the queue as it is, page by page, whatever its size.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/admin/gateway.h"
#include "common/admin/queue_filter.h"
#include "common/admin/queue_report.h"

namespace holdfast::admin {

// What queue listings need to know besides the index. qmgr and the directory may be out of reach: then less is told.
Moment look(Gateway& gateway);

// Every message that the filter means, oldest first, from behind words.after on, up to `limit` of them. `page_end`
// follows each page, outside of any view of the index. Nothing at all while nothing was ever kept.
base::Status each_message(Gateway& gateway, const QueueWords& words, std::uint64_t limit, const Moment& moment,
                          const std::function<void(const storage::Listed&)>& visit,
                          const std::function<void()>& page_end);

// A page for a reader who waits: `limit` messages behind words.after, which may be what `next` of a page before said. A
// search that has not found so many within `budget` gives what it has, and where to go on.
struct QueuePage {
  std::vector<storage::Listed> messages;
  std::string next;  // empty: that was all
};
base::Result<QueuePage> queue_page(Gateway& gateway, const QueueWords& words, std::size_t limit, const Moment& moment,
                                   base::Millis budget);

// How many the words mean in all, where counters tell; nothing where all would have to be looked at.
std::optional<std::uint64_t> queue_total(Gateway& gateway, const QueueWords& words, const Moment& moment);

// One message by the id that somebody typed: kUsage when it is none, kNotFound when there is no such message.
base::Result<storage::Listed> find_message(Gateway& gateway, const std::string& text);

}  // namespace holdfast::admin
