// What master tells of the daemons.
#pragma once

#include <string>

#include "common/daemon/board.h"
#include "master/supervisor.h"

namespace holdfast::master {

// {"daemons":[{"name","worker","pid","state","restarts","since"}…],"listening":…,"clients":{…}}; pid is null for none.
std::string status_json(const Supervisor& supervisor, const std::string& listening, const daemon::Gauges& clients);

}  // namespace holdfast::master
