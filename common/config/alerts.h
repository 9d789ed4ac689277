// What must be right about `alerts` as a whole: its roads lead around our own destinations.
#pragma once

#include "common/config/finish.h"

namespace holdfast::config {

void finish_alerts(Draft& draft);
// Password, token and CA files and the command are there, and somebody is told at all (Files::kCheck, load.h).
void check_alert_files(Draft& draft);

}  // namespace holdfast::config
