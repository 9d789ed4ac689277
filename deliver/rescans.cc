#include "deliver/rescans.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/scanning/told.h"
#include "common/stats/counters.h"
#include "common/storage/segment.h"
#include "deliver/own_head.h"

namespace holdfast::deliver {
namespace {

using Kind = filtering::Outcome::Kind;

constexpr std::size_t kMostIdle = 20;
constexpr base::Millis kIdle{5'000};
constexpr std::size_t kPiece = 64 << 10;

const config::Domain* domain_of(const config::Config& config, std::string_view address) {
  return config.find_domain(address.substr(address.rfind('@') + 1));
}

std::string literal_of(const std::string& address) {
  return address.find(':') == address.npos ? "[" + address + "]" : "[IPv6:" + address + "]";
}

std::string parameters_of(const mail::Envelope& envelope, std::uint64_t size) {
  return fmt::format("SIZE={}{}{}", size, envelope.body == mail::Body::k8BitMime ? " BODY=8BITMIME" : "",
                     envelope.smtputf8 ? " SMTPUTF8" : "");
}

}  // namespace

struct Rescans::Chain {
  Key key;
  config::ConfigPtr config;
  bool failed = false;  // one of them, since it was made
  bool used = false;    // by another message before
  base::Mono idle_since{};
  std::unique_ptr<filtering::FilterChain> filters;
};

Rescans::Rescans(net::Loop& loop, config::ConfigPtr config, ByHand by_hand)
    : loop_(loop), config_(std::move(config)), by_hand_(std::move(by_hand)), drop_(loop, [this] { drop_old(); }) {}

Rescans::~Rescans() = default;

std::unique_ptr<Rescans::Scan> Rescans::begin(const storage::Record& record, const ipc::Job& job, Done done) {
  if (!job.rescan || !config_->rescan_on_drain || config_->filters.empty()) return nullptr;
  auto filters = asked_after(record, job);
  if (filters.empty()) return nullptr;
  return std::make_unique<Scan>(*this, record, job, std::move(filters), std::move(done));
}

scanning::Set Rescans::asked_after(const storage::Record& record, const ipc::Job& job) const {
  std::set<std::size_t> all;
  for (const auto& recipient : job.recipients) {
    const auto* domain = domain_of(*config_, recipient.address);
    if (domain == nullptr || by_hand_(*domain)) continue;
    for (const auto i : scanning::asked_after(*config_, *domain, record.envelope().listener)) all.insert(i);
  }
  return {all.begin(), all.end()};
}

void Rescans::reload(config::ConfigPtr config) {
  config_ = std::move(config);
  idle_.clear();
  health_.reload(*config_);
}

std::unique_ptr<Rescans::Chain> Rescans::take(const Key& key, const storage::Record& record, bool fresh) {
  const auto at = std::ranges::find_if(idle_, [&](const auto& chain) { return chain->key == key; });
  if (!fresh && at != idle_.end()) {
    auto chain = std::move(*at);
    idle_.erase(at);
    chain->used = true;
    return chain;
  }
  auto chain = std::make_unique<Chain>(Chain{.key = key, .config = config_, .filters = nullptr});
  const auto& envelope = record.envelope();
  const std::string literal = literal_of(envelope.client_address);
  chain->filters = std::make_unique<filtering::FilterChain>(
      loop_, scanning::specs_of(*config_, key.filters),
      filtering::ClientFacts{.client = {.name = envelope.client_name.empty() ? literal : envelope.client_name,
                                        .address = envelope.client_address,
                                        .port = envelope.client_port},
                             .helo = envelope.helo},
      storage::rescan_folder(config_->paths.spool), [this, chain = chain.get()](const std::string& filter, const std::string& fault) {
        chain->failed = chain->failed || !fault.empty();
        if (fault.empty() || !chain->used) health_.note(filter, fault, loop_.now());
      });
  scanning::tell_visit(chain->filters->macros(), {.hostname = config_->hostname,
                                                  .listener = envelope.listener,
                                                  .name = envelope.client_name,
                                                  .address = envelope.client_address,
                                                  .literal = literal,
                                                  .port = envelope.client_port,
                                                  .tls = envelope.tls});
  return chain;
}

void Rescans::give_back(std::unique_ptr<Chain> chain) {
  if (chain->failed || chain->config != config_) return;
  chain->idle_since = loop_.now();
  idle_.push_back(std::move(chain));
  if (idle_.size() > kMostIdle) idle_.pop_front();
  if (!drop_.waiting()) drop_.start(kIdle);
}

void Rescans::drop_old() {
  while (!idle_.empty() && loop_.now() - idle_.front()->idle_since >= kIdle) idle_.pop_front();
  if (!idle_.empty()) drop_.start(kIdle);
}

Rescans::Scan::Scan(Rescans& owner, const storage::Record& record, const ipc::Job& job, scanning::Set filters, Done done)
    : owner_(owner),
      record_(record),
      job_(job),
      config_(owner.config_),
      filters_(std::move(filters)),
      done_(std::move(done)),
      content_(storage::rescan_folder(owner.config_->paths.spool)),
      soon_(owner.loop_, [this] { finish(word_); }) {
  start(false);
}

Rescans::Scan::~Scan() {
  if (chain_) chain_->filters->abort();
}

base::Status Rescans::Scan::load() {
  content_ = storage::Content(storage::rescan_folder(config_->paths.spool));
  head_.clear();
  std::string piece;
  for (std::uint64_t at = 0; at < record_.content_size();) {
    piece.resize(std::min<std::uint64_t>(record_.content_size() - at, kPiece));
    const auto got = record_.read_content(at, piece);
    if (!got) return std::unexpected(got.error());
    if (*got == 0) return base::fail(base::Kind::kData, "the record ends early");
    std::string_view bytes = std::string_view(piece).substr(0, *got);
    if (at == 0) head_ = bytes.substr(0, own_head(bytes));
    at += *got;
    if (at == *got) bytes.remove_prefix(head_.size());
    if (auto done = content_.append(bytes); !done) return done;
  }
  return {};
}

void Rescans::Scan::start(bool fresh) {
  fresh_ = fresh;
  if (const auto loaded = load(); !loaded) {
    word_ = {.word = ipc::RescanWord::kLater, .reason = "rescan: " + loaded.error().text, .sender = {}};
    return soon_.start(base::Millis{0});
  }
  if (filters_.empty()) {  // all are left out
    content_.replace_front(0, head_);
    return soon_.start(base::Millis{0});
  }
  const auto& envelope = record_.envelope();
  chain_ = owner_.take({.filters = filters_,
                        .address = envelope.client_address,
                        .name = envelope.client_name,
                        .helo = envelope.helo,
                        .listener = envelope.listener,
                        .tls = envelope.tls},
                       record_, fresh);
  scanning::tell_mail(chain_->filters->macros(), mail::QueueId{job_.queue_id}.text(), envelope.sender);
  chain_->filters->mail(envelope.sender, parameters_of(envelope, content_.size()), [this](const Outcome& outcome) {
    if (goes_on(outcome)) ask_recipient(0);
  });
}

void Rescans::Scan::ask_recipient(std::size_t i) {
  if (i == job_.recipients.size()) return ask_content();
  const std::string& address = job_.recipients[i].address;
  const auto* domain = domain_of(*config_, address);
  scanning::tell_recipient(chain_->filters->macros(), address, domain == nullptr ? std::string() : domain->name);
  chain_->filters->rcpt(address, "", [this, i](const Outcome& outcome) {
    if (goes_on(outcome)) ask_recipient(i + 1);
  });
}

void Rescans::Scan::ask_content() {
  chain_->filters->content(content_, [this](const Outcome& outcome) {
    if (goes_on(outcome)) passed();
  });
}

bool Rescans::Scan::goes_on(const Outcome& outcome) {
  if (again(outcome)) return false;
  if (outcome.kind == Kind::kContinue) return true;
  const std::string words = outcome.kind == Kind::kDiscard ? "discards it" : outcome.reply.text();
  const bool later = outcome.kind != Kind::kDiscard && outcome.reply.temporary();
  end(later ? ipc::RescanWord::kLater : ipc::RescanWord::kHold, fmt::format("{}: {}", outcome.filter, words));
  return false;
}

// A connection that was kept may have ended since: that is no fault of the filter's. And a filter that does not matter when
// it fails, does not when it says "not now".
bool Rescans::Scan::again(const Outcome& outcome) {
  if (chain_->failed && chain_->used) {
    chain_.reset();
    start(true);
    return true;
  }
  const bool later = (outcome.kind == Kind::kRefuse || outcome.kind == Kind::kShutdown) && outcome.reply.temporary();
  if (!later || outcome.failed) return false;
  const auto at = std::ranges::find_if(filters_, [&](auto i) { return config_->filters[i].name == outcome.filter; });
  if (at == filters_.end()) return false;
  const std::string& on_failure = config_->filters[*at].on_failure;
  if (on_failure == "tempfail") return false;
  if (on_failure == "reject") {
    end(ipc::RescanWord::kHold, fmt::format("{}: {}", outcome.filter, outcome.reply.text()));
    return true;
  }
  filters_.erase(at);
  left_out_ = true;
  chain_.reset();
  start(fresh_);
  return true;
}

// One message has the recipients that it has: an admin sees to those that a filter wants taken away.
void Rescans::Scan::passed() {
  const auto changes = chain_->filters->take_changes();
  if (changes.quarantine) return end(ipc::RescanWord::kHold, "quarantine: " + *changes.quarantine);
  for (const auto& gone : changes.deleted) {
    const auto is_he = [&](const auto& one) { return base::iequals(one.address, gone); };
    if (std::ranges::any_of(job_.recipients, is_he)) return end(ipc::RescanWord::kHold, fmt::format("recipient <{}> is taken away", gone));
  }
  for (const auto& more : changes.added) {
    base::log().warning(fmt::format("{}: rescan: a filter adds <{}>: left out, the message is in the queue already",
                                    mail::QueueId{job_.queue_id}.text(), base::printable(more.address)));
  }
  content_.replace_front(0, left_out_ || chain_->failed ? head_ : rescanned(head_));
  stats::count(stats::Counter::kRescanPassed);
  base::log().notice(fmt::format("{}: rescan: passed", mail::QueueId{job_.queue_id}.text()));
  Scanned out;
  if (changes.sender) out.sender = *changes.sender;
  finish(std::move(out));
}

void Rescans::Scan::end(ipc::RescanWord word, std::string reason) {
  stats::count(word == ipc::RescanWord::kHold ? stats::Counter::kRescanHeld : stats::Counter::kRescanDeferred);
  finish({.word = word, .reason = "rescan: " + base::printable(reason), .sender = {}});
}

void Rescans::Scan::finish(Scanned scanned) {
  if (chain_) owner_.give_back(std::move(chain_));
  const Done done = done_;
  done(scanned);
}

}  // namespace holdfast::deliver
