// Finds out what the report by mail tells: from the history, the queue, and the logs of the prober and of smtpd.
#pragma once

#include <cstdint>
#include <functional>

#include "common/admin/dest_history.h"
#include "common/admin/gateway.h"
#include "common/admin/log_files.h"
#include "common/admin/mail_report.h"
#include "common/storage/history.h"

namespace holdfast::admin {

// Calls its argument with a view of the history, or says why not.
using HistoryReader = std::function<base::Status(const std::function<void(const storage::History&, const storage::Txn&)>&)>;

// Never fails: what could not be found out is among its
// gaps. Reads logs for as long as `go_on` says yes. Blocks.
MailReport look_for_report(const Gateway& gateway, bool weekly, std::int64_t from_s, std::int64_t to_s, const HistoryReader& history,
                           const GoOn& go_on);

// The outages in changes of one destination, cut to the time; the changes are the oldest first. Pure.
std::vector<Outage> outages_in(const std::string& destination, const std::vector<StateChange>& changes, std::int64_t from_s,
                               std::int64_t to_s);

}  // namespace holdfast::admin
