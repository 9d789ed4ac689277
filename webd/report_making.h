// Makes the report by mail and hands it in at alertd, which sends it.
#pragma once

#include <cstdint>

#include "common/admin/gateway.h"
#include "common/admin/report_look.h"

namespace holdfast::webd {

// The day (or week) that ends at `due_s`. True: alertd has it on its disk; else the log says why not. Blocks, for minutes
// where logs are long: for a desk.
bool hand_in_report(admin::Gateway& gateway, bool weekly, std::int64_t due_s, const admin::HistoryReader& history);

}  // namespace holdfast::webd
