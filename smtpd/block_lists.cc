#include "smtpd/block_lists.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/base/log.h"
#include "common/stats/counters.h"

namespace holdfast::smtpd {
namespace {

constexpr std::size_t kRemembered = 10'000;  // clients
constexpr std::size_t kInquiries = 5'000;    // at a time; who is one too many is not looked up
constexpr base::Seconds kShortest{60}, kLongest{3600};
constexpr int kMostInVain = 10;
constexpr base::Seconds kTrial{10};  // so often a silent zone is tried

}  // namespace

std::string block_list_name(const base::IpAddress& client, const std::string& zone) {
  const std::string reverse = client.reverse_name();
  const std::string_view tail = client.is_v4() ? "in-addr.arpa" : "ip6.arpa";
  return reverse.substr(0, reverse.size() - tail.size()) + zone;
}

BlockLists::BlockLists(net::Loop& loop, const config::Config& config) : loop_(loop) { reload(config); }

BlockLists::~BlockLists() {
  for (auto& [key, inquiry] : inquiries_) {
    for (Wait* wait : inquiry.waiting) wait->owner_ = nullptr;
  }
}

BlockLists::Wait::~Wait() {
  if (owner_ == nullptr) return;
  const auto at = owner_->inquiries_.find(key_);
  if (at != owner_->inquiries_.end()) std::erase(at->second.waiting, this);
}

void BlockLists::reload(const config::Config& config) {
  const bool same = config.dnsbl.zones == rules_.zones && config.dnsbl.timeout == rules_.timeout && config.resolvers == servers_;
  rules_ = config.dnsbl;
  servers_ = config.resolvers;
  if (same) return;
  forget_all();
  for (const auto& zone : rules_.zones) {
    Zone made{.config = zone};
    if (!zone.answers.empty()) {
      if (auto pattern = policy::AnswerPattern::parse(zone.answers)) made.pattern = std::move(*pattern);
    }
    zones_.push_back(std::move(made));
  }
}

void BlockLists::forget_all() {
  resolver_.reset();  // nobody is called back any more
  while (!inquiries_.empty()) settle(Key(inquiries_.begin()->first));
  zones_.clear();
  entries_.clear();
  by_key_.clear();
}

dns::Resolver& BlockLists::resolver() {
  if (!resolver_) {
    dns::ResolverOptions options{.timeout = rules_.timeout};
    for (const auto& server : servers_) {
      if (const auto address = net::SocketAddress::ip(server.host, server.port)) options.servers.push_back(*address);
    }
    resolver_ = std::make_unique<dns::Resolver>(loop_, std::move(options));
  }
  return *resolver_;
}

bool BlockLists::silent(const Zone& zone) const { return zone.in_vain >= kMostInVain; }

void BlockLists::expect(const base::IpAddress& client) {
  if (zones_.empty() || inquiries_.size() >= kInquiries || known(client)) return;
  const auto [at, is_new] = inquiries_.try_emplace(client.octets);
  if (!is_new) return;
  at->second.ttl = kLongest;
  at->second.open = static_cast<std::size_t>(std::ranges::count_if(zones_, [&](const Zone& zone) { return !silent(zone); }));
  const bool nobody = at->second.open == 0;
  for (std::size_t i = 0; i < zones_.size(); ++i) {
    Zone& zone = zones_[i];
    const bool waited_for = !silent(zone);
    if (!waited_for && loop_.now() < zone.next_trial) continue;
    zone.next_trial = loop_.now() + kTrial;
    ask(client, i, waited_for);
  }
  if (nobody) settle(client.octets);
}

std::optional<BlockLists::Score> BlockLists::known(const base::IpAddress& client) {
  const auto at = by_key_.find(client.octets);
  if (at != by_key_.end() && at->second->until > loop_.now()) {
    entries_.splice(entries_.begin(), entries_, at->second);
    return at->second->score;
  }
  return std::nullopt;
}

void BlockLists::ask(const base::IpAddress& client, std::size_t zone, bool waited_for) {
  resolver().ipv4(block_list_name(client, zones_[zone].config.zone),
                  [this, client, zone, waited_for](const auto& answer) { heard(client, zone, waited_for, answer); });
}

void BlockLists::heard(const base::IpAddress& client, std::size_t number, bool waited_for,
                       const dns::Answer<std::array<std::uint8_t, 4>>& answer) {
  Zone& zone = zones_[number];
  const bool failed = answer.status == dns::Status::kFailed;
  judge_zone(zone, failed);
  const auto at = inquiries_.find(client.octets);
  if (at == inquiries_.end()) return;
  Inquiry& inquiry = at->second;
  inquiry.ttl = std::min(inquiry.ttl, failed ? kShortest : answer.ttl);
  if (std::ranges::any_of(answer.found, [&](const auto& one) { return zone.pattern.matches(one); })) {
    inquiry.score.sum += zone.config.weight;
    if (zone.config.weight > inquiry.heaviest) {
      inquiry.heaviest = zone.config.weight;
      inquiry.score.zone = zone.config.zone;
    }
  }
  if (waited_for && --inquiry.open == 0) settle(client.octets);
}

void BlockLists::judge_zone(Zone& zone, bool failed) {
  if (!failed) {
    if (std::exchange(zone.in_vain, 0) >= kMostInVain) base::log().notice(fmt::format("dnsbl: {} answers again", zone.config.zone));
    return;
  }
  stats::count(stats::Counter::kDnsblFailed);
  if (++zone.in_vain == kMostInVain) base::log().warning(fmt::format("dnsbl: {} does not answer: nobody waits for it until it does", zone.config.zone));
}

// Who is told may end others' waiting: they are looked at one by one.
void BlockLists::settle(const Key& key) {
  const auto at = inquiries_.find(key);
  if (at == inquiries_.end()) return;
  const Score score = at->second.score;
  remember(key, score, std::clamp(at->second.ttl, kShortest, kLongest));
  auto& waiting = at->second.waiting;
  while (!waiting.empty()) {
    Wait* const wait = waiting.back();
    waiting.pop_back();
    wait->owner_ = nullptr;
    const Done done = wait->done_;
    done(score);
  }
  inquiries_.erase(key);
}

void BlockLists::remember(const Key& key, const Score& score, base::Seconds ttl) {
  if (const auto old = by_key_.find(key); old != by_key_.end()) {
    entries_.erase(old->second);
    by_key_.erase(old);
  }
  if (entries_.size() == kRemembered) {
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front({key, score, loop_.now() + ttl});
  by_key_[key] = entries_.begin();
}

std::unique_ptr<BlockLists::Wait> BlockLists::await(const base::IpAddress& client, Done done) {
  const auto at = inquiries_.find(client.octets);
  if (at == inquiries_.end()) return nullptr;
  std::unique_ptr<Wait> wait(new Wait(*this, client.octets, std::move(done)));
  at->second.waiting.push_back(wait.get());
  return wait;
}

}  // namespace holdfast::smtpd
