#include "common/upstream/server_book.h"

#include <algorithm>


namespace holdfast::upstream {
namespace {

constexpr base::Millis kReportEvery{1'000};

}  // namespace

ServerBook::ServerBook(std::vector<ServerName> servers, base::Millis penalty, base::Millis breaker)
    : penalty_(penalty), breaker_(breaker) {
  for (auto& name : servers) servers_.push_back({.name = std::move(name)});
}

std::vector<bool> ServerBook::allowed(const Usable& usable, const std::vector<bool>& tried) const {
  std::vector<bool> up(size(), true);
  if (usable) {
    for (std::size_t i = 0; i < size(); ++i) up[i] = usable(servers_[i].name);
    if (std::ranges::find(up, true) == up.end()) up.assign(size(), true);
  }
  for (std::size_t i = 0; i < size(); ++i) up[i] = up[i] && !tried[i];
  return up;
}

std::optional<std::size_t> ServerBook::pick(base::Mono now, const Usable& usable, const std::vector<bool>& tried) {
  const std::vector<bool> may = allowed(usable, tried);
  std::optional<std::size_t> first, penalised;
  std::vector<std::size_t> equals;  // the first address of each host that may stand in for `first`
  for (std::size_t i = 0; i < size(); ++i) {
    if (!may[i]) continue;
    if (servers_[i].penalised_until > now) {
      if (!penalised) penalised = i;
      continue;
    }
    if (!first) first = i;
    const ServerName& name = servers_[i].name;
    if (name.rank == 0) break;
    if (name.rank != servers_[*first].name.rank) break;
    if (std::ranges::none_of(equals, [&](std::size_t other) { return servers_[other].name.name == name.name; })) {
      equals.push_back(i);
    }
  }
  if (equals.size() > 1) return equals[std::uniform_int_distribution<std::size_t>(0, equals.size() - 1)(chance_)];
  return first ? first : penalised;
}

std::size_t ServerBook::left(const Usable& usable, const std::vector<bool>& tried) const {
  const std::vector<bool> may = allowed(usable, tried);
  return static_cast<std::size_t>(std::ranges::count(may, true));
}

void ServerBook::attempt(std::size_t server, base::Mono now) {
  if (servers_[server].suspect) servers_[server].penalised_until = now + penalty_;
}

void ServerBook::failed(std::size_t server, base::Mono now) {
  servers_[server].suspect = true;
  servers_[server].penalised_until = now + penalty_;
}

void ServerBook::succeeded(std::size_t server) {
  servers_[server].suspect = false;
  servers_[server].penalised_until = {};
  breaker_until_ = {};
}

void ServerBook::all_failed(base::Mono now) { breaker_until_ = now + breaker_; }

void ServerBook::forgive() {
  for (Server& server : servers_) {
    server.suspect = false;
    server.penalised_until = {};
  }
  breaker_until_ = {};
}

bool ServerBook::worth_reporting(std::size_t server, base::Mono now) {
  Server& s = servers_[server];
  if (s.reported != base::Mono{} && now - s.reported < kReportEvery) return false;
  s.reported = now;
  return true;
}

std::vector<bool> ServerBook::marked(const std::vector<std::string>& texts) const {
  std::vector<bool> out(size(), false);
  for (std::size_t i = 0; i < size(); ++i) out[i] = std::ranges::find(texts, servers_[i].name.text) != texts.end();
  return out;
}

}  // namespace holdfast::upstream
