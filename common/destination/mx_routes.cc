#include "common/destination/mx_routes.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "common/base/handed_files.h"
#include "common/base/log.h"
#include "common/destination/name_servers.h"
#include "common/destination/ourselves.h"
#include "common/destination/security.h"

namespace holdfast::destination {
namespace {

constexpr const char* kRootKey = "/usr/share/dns/root.key";  // Debian's dns-root-data

dns::ResolverOptions resolver_options(const config::Config& config) {
  dns::ResolverOptions options{.servers = name_servers(config.resolvers)};
  if (config.trust_anchors == "off") return options;
  options.strict = !config.trust_anchors.empty();
  const auto anchors = base::read_handed(options.strict ? config.trust_anchors : kRootKey);
  if (anchors) {
    options.trust_anchors = *anchors;
  } else if (options.strict) {
    base::log().error(fmt::format("dns.trust_anchors: {}: nothing is validated", anchors.error().text));
  }
  return options;
}

}  // namespace

struct MxRoutes::Entry {
  explicit Entry(net::Loop& loop, std::function<void()> late) : patience(loop, std::move(late)) {}
  std::shared_ptr<const dns::MailRoute> good;  // the last one; null: none, or a final word came since
  base::Mono fresh_until{}, usable_until{};    // of it
  std::optional<dns::Refusal> refusal;         // the last lookup's
  base::Mono refused{};
  base::Mono last_used{};
  bool looking = false;
  std::vector<Done> waiting;
  net::Timer patience;
};

MxRoutes::MxRoutes(net::Loop& loop, config::ConfigPtr config) : loop_(loop), config_(std::move(config)) {
  look_up_all();
}

MxRoutes::~MxRoutes() = default;

void MxRoutes::find(const Question& key, Done done) {
  const auto [at, fresh] = entries_.try_emplace(key, loop_, [this, key] { answer(entries_.find(key)->second); });
  Entry& entry = at->second;
  entry.last_used = loop_.now();
  entry.waiting.push_back(std::move(done));
  const bool good = entry.good && loop_.now() < entry.fresh_until;
  const bool just_failed = entry.refusal && loop_.now() - entry.refused < kAgain;
  if (good || just_failed) {
    entry.patience.start(base::Millis{0});
    return;
  }
  if (entry.good && !entry.patience.waiting()) entry.patience.start(kPatience);
  if (!entry.looking) look_up(key);
  if (fresh) forget_some();
}

void MxRoutes::look_up_all() {
  for (const auto& [name, destination] : config_->destinations) {
    if (destination.mx) find({destination.mx_domain, destination.mx_port, wants_dane(destination)}, [](const Route&) {});
  }
}

void MxRoutes::look_up(const Key& key) {
  entries_.find(key)->second.looking = true;
  servers(key).find(loop_, key.domain,
                           [this, alive = std::weak_ptr(alive_), key, round = round_](auto found) {
                             if (alive.lock() && round == round_) looked_up(key, std::move(found));
                           });
}

void MxRoutes::looked_up(const Key& key, std::expected<dns::MailRoute, dns::Refusal> found) {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return;
  Entry& entry = at->second;
  entry.looking = false;
  if (found) {
    entry.refusal.reset();
    entry.fresh_until = loop_.now() + std::clamp(found->ttl, kShortest, kLongest);
    entry.usable_until = entry.fresh_until + kStaleFor;
    if (!entry.good || !same_servers(*entry.good, *found)) {
      entry.good = std::make_shared<const dns::MailRoute>(std::move(*found));
    }
  } else {
    const bool news = !entry.refusal || entry.refusal->text != found.error().text;
    if (news) base::log().warning(fmt::format("MX of {}: {}", key.domain, found.error().text));
    entry.refusal = std::move(found.error());
    entry.refused = loop_.now();
    if (entry.refusal->final || loop_.now() >= entry.usable_until) entry.good = nullptr;
  }
  answer(entry);
}

Route MxRoutes::present(const Entry& entry) const {
  if (entry.good && loop_.now() < entry.usable_until) return entry.good;
  if (entry.refusal) return std::unexpected(*entry.refusal);
  return std::unexpected(dns::Refusal{false, "4.4.3", "the mail servers are not known yet"});
}

void MxRoutes::answer(Entry& entry) {
  entry.patience.stop();
  const std::weak_ptr alive(alive_);
  const Route route = present(entry);
  for (const auto& done : std::exchange(entry.waiting, {})) {
    if (alive.lock()) done(route);
  }
}

void MxRoutes::forget_some() {
  if (entries_.size() <= kMostDomains) return;
  auto oldest = entries_.end();
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    if (at->second.looking || !at->second.waiting.empty()) continue;
    if (oldest == entries_.end() || at->second.last_used < oldest->second.last_used) oldest = at;
  }
  if (oldest != entries_.end()) entries_.erase(oldest);
}

void MxRoutes::reload(config::ConfigPtr config) {
  config_ = std::move(config);
  servers_.clear();
  resolver_ = nullptr;
  ++round_;
  for (auto& [key, entry] : entries_) {
    entry.fresh_until = {};
    entry.refusal.reset();
    entry.looking = false;
    if (!entry.waiting.empty()) look_up(key);
  }
  look_up_all();
}

dns::MailServers& MxRoutes::servers(const Key& key) {
  if (!resolver_) resolver_ = std::make_shared<dns::Resolver>(loop_, resolver_options(*config_));
  return servers_
      .try_emplace({key.port, key.dane}, resolver_, ourselves(*config_), static_cast<std::uint16_t>(key.port), key.dane)
      .first->second;
}

bool same_servers(const dns::MailRoute& one, const dns::MailRoute& other) {
  const auto sorted = [](const dns::MailRoute& route) {
    std::vector<std::tuple<std::uint16_t, std::string, std::string, int, std::vector<dns::Tlsa>>> out;
    for (const auto& server : route.servers) {
      auto records = server.dane.records;
      std::ranges::sort(records);
      out.emplace_back(server.preference, server.host, server.address.text(), static_cast<int>(server.dane.rule),
                       std::move(records));
    }
    std::ranges::sort(out);
    return out;
  };
  return sorted(one) == sorted(other);
}

}  // namespace holdfast::destination
