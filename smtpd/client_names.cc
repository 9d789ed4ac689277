#include "smtpd/client_names.h"

#include <algorithm>
#include <utility>

#include "common/base/log.h"
#include "common/destination/name_servers.h"

namespace holdfast::smtpd {
namespace {

constexpr std::size_t kRemembered = 4096;
constexpr std::size_t kQuestions = 1000;   // at a time; more clients go without a name
constexpr std::size_t kCandidates = 3;     // of the names that a reverse zone gives
constexpr base::Seconds kShortest{60}, kLongest{3600}, kNoName{300};
constexpr int kMostInVain = 3;
constexpr base::Seconds kTrial{10};

bool is_loopback(const base::IpAddress& client) {
  static const std::vector<base::Network> networks{*base::Network::parse("127.0.0.0/8"), *base::Network::parse("::1")};
  return base::contains(networks, client);
}

}  // namespace

ClientNames::ClientNames(net::Loop& loop, const config::Config& config) : loop_(loop), servers_(config.resolvers), lookup_(config.clients.lookup) {}

ClientNames::~ClientNames() {
  for (auto& [key, question] : questions_) {
    for (Wait* wait : question.waiting) wait->owner_ = nullptr;
  }
}

ClientNames::Wait::~Wait() {
  if (owner_ == nullptr) return;
  const auto at = owner_->questions_.find(key_);
  if (at != owner_->questions_.end()) std::erase(at->second.waiting, this);
}

void ClientNames::reload(const config::Config& config) {
  lookup_ = config.clients.lookup;
  if (config.resolvers == servers_) return;
  in_vain_ = 0;
  servers_ = config.resolvers;
  resolver_.reset();
  while (!questions_.empty()) tell(Key(questions_.begin()->first), "");
}

dns::Resolver& ClientNames::resolver() {
  if (!resolver_) resolver_ = std::make_unique<dns::Resolver>(loop_, dns::ResolverOptions{.servers = destination::name_servers(servers_)});
  return *resolver_;
}

std::optional<std::string> ClientNames::known(const base::IpAddress& client) {
  if (is_loopback(client)) return "";
  const auto at = by_key_.find(client.octets);
  if (at == by_key_.end() || at->second->until <= loop_.now()) {
    const auto question = questions_.find(client.octets);
    const bool may = question == questions_.end() ? may_ask() : loop_.now() - question->second.asked < lookup_;
    return may ? std::nullopt : std::optional<std::string>("");
  }
  entries_.splice(entries_.begin(), entries_, at->second);
  return at->second->name;
}

bool ClientNames::may_ask() {
  if (questions_.size() >= kQuestions) return false;
  if (in_vain_ < kMostInVain) return true;
  if (loop_.now() < next_trial_) return false;
  next_trial_ = loop_.now() + kTrial;
  return true;
}

void ClientNames::gave_up(base::Mono asked) {
  if (answered_ > asked || ++in_vain_ != kMostInVain) return;
  next_trial_ = loop_.now() + kTrial;
  base::log().warning("the name servers are silent: clients have no name until they answer");
}

void ClientNames::heard() {
  answered_ = loop_.now();
  if (std::exchange(in_vain_, 0) >= kMostInVain) base::log().notice("the name servers answer again");
}

std::unique_ptr<ClientNames::Wait> ClientNames::ask(const base::IpAddress& client, Done done) {
  std::unique_ptr<Wait> wait(new Wait(*this, client.octets, std::move(done)));
  const auto [at, is_new] = questions_.try_emplace(client.octets);
  at->second.waiting.push_back(wait.get());
  if (is_new) {
    at->second.asked = loop_.now();
    begin(client);
  }
  return wait;
}

void ClientNames::begin(const base::IpAddress& client) {
  resolver().names(client, [this, client](dns::Answer<std::string> answer) {
    if (answer.status != dns::Status::kFailed) heard();
    const auto at = questions_.find(client.octets);
    if (at == questions_.end()) return;
    answer.found.resize(std::min(answer.found.size(), kCandidates));
    std::ranges::reverse(answer.found);
    at->second.candidates = std::move(answer.found);
    at->second.ttl = answer.ttl;
    try_next(client);
  });
}

void ClientNames::try_next(const base::IpAddress& client) {
  const auto at = questions_.find(client.octets);
  if (at == questions_.end()) return;
  auto& candidates = at->second.candidates;
  if (candidates.empty()) return finish(client, "", kNoName);
  const std::string name = std::move(candidates.back());
  candidates.pop_back();
  resolver().addresses(name, 0, [this, client, name](const dns::Answer<net::SocketAddress>& answer) {
    const auto asked = questions_.find(client.octets);
    if (asked == questions_.end()) return;
    const bool confirmed = std::ranges::any_of(answer.found, [&](const auto& a) { return a.ip_address() == client; });
    if (!confirmed) return try_next(client);
    finish(client, name, std::clamp(std::min(asked->second.ttl, answer.ttl), kShortest, kLongest));
  });
}

void ClientNames::finish(const base::IpAddress& client, const std::string& name, base::Seconds ttl) {
  if (const auto old = by_key_.find(client.octets); old != by_key_.end()) {
    entries_.erase(old->second);
    by_key_.erase(old);
  }
  if (entries_.size() == kRemembered) {
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front({client.octets, name, loop_.now() + ttl});
  by_key_[client.octets] = entries_.begin();
  tell(client.octets, name);
}

// Who is told may end others' waiting: they are looked at one by one.
void ClientNames::tell(const Key& key, const std::string& name) {
  const auto at = questions_.find(key);
  if (at == questions_.end()) return;
  auto& waiting = at->second.waiting;
  while (!waiting.empty()) {
    Wait* const wait = waiting.back();
    waiting.pop_back();
    wait->owner_ = nullptr;
    const Done done = wait->done_;
    done(name);
  }
  questions_.erase(key);
}

}  // namespace holdfast::smtpd
