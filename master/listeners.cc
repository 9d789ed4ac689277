#include "master/listeners.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/net/address.h"

namespace holdfast::master {
namespace {

base::Result<base::UniqueFd> bind_one(const config::HostPort& address) {
  const auto where = net::SocketAddress::ip(address.host, address.port);
  if (!where) return std::unexpected(where.error());
  auto fd = net::listen_on(*where);
  if (fd) return fd;
  const bool forbidden = fd.error().kind == base::Kind::kPermission;
  return base::fail(forbidden ? base::Kind::kPermission : base::Kind::kUnavailable,
                    fmt::format("cannot listen on {}: {}{}", address.text(), fd.error().text,
                                forbidden && address.port < 1024 ? " (ports under 1024 need CAP_NET_BIND_SERVICE)" : ""));
}

}  // namespace

base::Result<std::vector<Listeners::Bound>> Listeners::bind_missing(const std::vector<config::HostPort>& wanted) const {
  std::vector<Bound> fresh;
  for (const auto& address : wanted) {
    if (std::ranges::find(bound_, address, &Bound::address) != bound_.end()) continue;
    auto fd = bind_one(address);
    if (!fd) return std::unexpected(fd.error());
    fresh.push_back({address, std::move(*fd)});
  }
  return fresh;
}

bool Listeners::become(const std::vector<config::HostPort>& wanted, std::vector<Bound> fresh) {
  const auto unwanted = [&](const Bound& b) { return std::ranges::find(wanted, b.address) == wanted.end(); };
  const bool changed = std::erase_if(bound_, unwanted) > 0 || !fresh.empty();
  std::ranges::move(fresh, std::back_inserter(bound_));
  return changed;
}

std::vector<int> Listeners::fds() const {
  std::vector<int> out;
  for (const auto& b : bound_) out.push_back(b.fd.get());
  return out;
}

std::string Listeners::text() const {
  std::string out;
  for (const auto& b : bound_) out += (out.empty() ? "" : ", ") + b.address.text();
  return out;
}

}  // namespace holdfast::master
