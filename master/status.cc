#include "master/status.h"

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace holdfast::master {

std::string status_json(const Supervisor& supervisor, const std::string& listening, const daemon::Gauges& clients) {
  using nlohmann::json;
  json daemons = json::array();
  daemons.push_back({{"name", "master"}, {"worker", 0}, {"pid", ::getpid()},
                     {"state", supervisor.stopping() ? "stopping" : "running"}, {"restarts", 0}});
  for (const auto& child : supervisor.children()) {
    daemons.push_back({{"name", child.name},
                       {"worker", child.worker},
                       {"pid", child.pid == 0 ? json(nullptr) : json(child.pid)},
                       {"state", to_text(child.state)},
                       {"restarts", child.restarts},
                       {"since", base::iso8601(child.since)}});
  }
  json numbers{{"now", clients.clients},
               {"stressed_workers", clients.stressed},
               {"refused_connections", clients.refused_connections},
               {"refused_messages", clients.refused_messages},
               {"refused_recipients", clients.refused_recipients},
               {"refused_kept", clients.refused_kept},
               {"early_talkers", clients.early_talkers}};
  return json{{"daemons", std::move(daemons)}, {"listening", listening}, {"clients", std::move(numbers)}}.dump();
}

}  // namespace holdfast::master
