// Goes through the queue as it is, page by page, whatever its size.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gatewayctl/gateway.h"
#include "gatewayctl/queue_filter.h"
#include "gatewayctl/queue_report.h"

namespace holdfast::gatewayctl {

// What queue listings need to know besides the index. qmgr and the directory may be out of reach: then less is told.
Moment look(Gateway& gateway);

// Every message that the filter means, oldest first, from behind words.after on, up to `limit` of them. `page_end`
// follows each page, outside of any view of the index. Nothing at all while nothing was ever kept.
base::Status each_message(Gateway& gateway, const QueueWords& words, std::uint64_t limit, const Moment& moment,
                          const std::function<void(const storage::Listed&)>& visit,
                          const std::function<void()>& page_end);

// One message by the id that somebody typed: kUsage when it is none, kNotFound when there is no such message.
base::Result<storage::Listed> find_message(Gateway& gateway, const std::string& text);

}  // namespace holdfast::gatewayctl
