#include "common/config/config.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/idn.h"
#include "common/base/text.h"

namespace holdfast::config {

std::string HostPort::text() const {
  return host.find(':') == host.npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

std::uint64_t SpoolReserve::bytes_of(std::uint64_t size) const {
  const std::uint64_t share = size / 100 * static_cast<std::uint64_t>(percent);
  if (percent == 0) return bytes;
  return bytes == 0 ? share : std::min(share, bytes);
}

std::uint64_t SpoolReserve::inodes_of(std::uint64_t inodes) const {
  if (percent == 0 && bytes == 0) return 0;
  const std::uint64_t share = percent == 0 ? 1 : static_cast<std::uint64_t>(percent);
  return std::min<std::uint64_t>(inodes * share / 100, 1000);
}

const Domain* Config::find_domain(std::string_view name) const {
  const auto ascii = base::ascii_domain(name);
  const auto found = ascii ? domains.find(*ascii) : domains.end();
  return found == domains.end() ? nullptr : &found->second;
}

const Destination* Config::find_destination(std::string_view name) const {
  if (name == kBounces) return &bounce_road;
  const auto found = destinations.find(name);
  return found == destinations.end() ? nullptr : &found->second;
}

bool Config::is_local_recipient(std::string_view key) const {
  const auto at = key.rfind('@');
  if (at == key.npos) return base::iequals(key, "postmaster");
  const Domain* domain = find_domain(key.substr(at + 1));
  if (domain == nullptr) return false;
  if (base::iequals(key.substr(0, at), "postmaster")) return true;
  const auto& list = domain->local_recipients;
  if (list.size() == 1 && list.front() == "*") return true;
  return std::binary_search(list.begin(), list.end(), key, std::less<>{});
}

}  // namespace holdfast::config
