#include "common/config/mx.h"

#include <utility>

namespace holdfast::config {
namespace {

constexpr char kBetween = '/';  // no name in the file has it

std::string written_name(const std::string& name) { return name.substr(0, name.find(kBetween)); }

}  // namespace

void expand_mx(Config& config) {
  const auto written = std::exchange(config.destinations, {});
  for (const auto& [name, destination] : written) {
    if (!destination.mx) config.destinations.emplace(name, destination);
  }
  for (auto& [name, domain] : config.domains) {
    const auto at = written.find(domain.destination);
    if (at == written.end() || !at->second.mx) continue;
    domain.destination += kBetween + name;
    Destination own = at->second;
    own.name = domain.destination;
    own.mx_domain = name;
    config.destinations.emplace(own.name, std::move(own));
  }
}

Config as_written(const Config& config) {
  Config out = config;
  for (auto at = out.destinations.begin(); at != out.destinations.end();) {
    auto one = out.destinations.extract(at++);
    one.key() = one.mapped().name = written_name(one.key());
    one.mapped().mx_domain.clear();
    out.destinations.insert(std::move(one));
  }
  for (auto& [name, domain] : out.domains) domain.destination = written_name(domain.destination);
  return out;
}

}  // namespace holdfast::config
