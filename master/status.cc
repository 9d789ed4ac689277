#include "master/status.h"

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace holdfast::master {

std::string status_json(const Supervisor& supervisor, const std::string& listening) {
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
  return json{{"daemons", std::move(daemons)}, {"listening", listening}}.dump();
}

}  // namespace holdfast::master
