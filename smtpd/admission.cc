#include "smtpd/admission.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/base/log.h"
#include "common/base/time.h"
#include "common/config/compile_lists.h"
#include "common/stats/counters.h"

namespace holdfast::smtpd {
namespace {

// Loopback and private networks (RFC 1918, 6598, 3927, 4193, 4291): nobody else can say anything about them.
bool is_private(const base::IpAddress& client) {
  static const std::vector<base::Network> networks = [] {
    std::vector<base::Network> out;
    for (const char* text : {"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "::1", "fc00::/7", "fe80::/10"}) {
      out.push_back(*base::Network::parse(text));
    }
    return out;
  }();
  return base::contains(networks, client);
}

// A question that outlives its call.
struct Kept {
  explicit Kept(const AdmissionQuestion& q)
      : client(q.visit.client), name(q.visit.name), helo(q.visit.helo), sender(q.visit.sender), recipient(q.visit.recipient),
        key(q.visit.recipient_key), domain(&q.domain) {}
  policy::Visit visit() const { return {client, name, helo, sender, recipient, key}; }

  base::IpAddress client;
  std::string name, helo, sender, recipient, key;
  const config::Domain* domain;
};

}  // namespace

Admission::Admission(net::Loop& loop, const config::Config& config) : loop_(loop), block_lists_(loop, config), greylisting_(config) {
  compile(config);
}

Admission::~Admission() = default;

void Admission::reload(const config::Config& config) {
  compile(config);
  block_lists_.reload(config);
  greylisting_.reload(config);
}

void Admission::compile(const config::Config& config) {
  auto lists = config::compile_lists(config.lists);
  if (!lists) return base::log().error("lists are left as they were: " + lists.error().text);
  lists_ = std::move(*lists);
  gave_up_ = 0;
}

void Admission::expect(const base::IpAddress& client, bool trusted) {
  if (!block_lists_.empty() && !trusted && !is_private(client)) block_lists_.expect(client);
}

std::unique_ptr<Admission::Wait> Admission::admit(const AdmissionQuestion& question, Done done) {
  bool allowed = false;
  if (const auto refusal = by_lists(question.visit, allowed); refusal || allowed) return done(refusal), nullptr;
  const auto& client = question.visit.client;
  if (question.trusted || is_private(client)) return done(std::nullopt), nullptr;
  if (block_lists_.empty()) return done(by_greylist(question.visit, question.domain)), nullptr;
  block_lists_.expect(client);
  if (!block_lists_.known(client)) {
    auto wait = block_lists_.await(client, [this, kept = Kept(question), done](const BlockLists::Score& score) {
      done(by_score(kept.visit(), *kept.domain, score));
    });
    if (wait) return wait;
  }
  const auto score = block_lists_.known(client).value_or(BlockLists::Score{});
  return done(by_score(question.visit, question.domain, score)), nullptr;
}

bool Admission::allows_sender(std::string_view sender) const {
  return std::ranges::any_of(lists_.matches(policy::ListKind::kSender, sender), &policy::Match::allow);
}

std::optional<mail::Reply> Admission::by_lists(const policy::Visit& visit, bool& allowed) {
  if (lists_.empty()) return std::nullopt;
  const auto match = lists_.judge(visit);
  note_slow_regexes();
  if (!match) return std::nullopt;
  allowed = match->allow;
  base::log().debug(fmt::format("{} by {} list: {} ({})", allowed ? "allowed" : "refused", to_text(match->kind), match->entry, match->place));
  if (allowed) {
    stats::count(stats::Counter::kListAllowed);
    return std::nullopt;
  }
  using enum policy::ListKind;
  switch (match->kind) {
    case kClient: stats::count(stats::Counter::kListBlockedClient); break;
    case kHelo: stats::count(stats::Counter::kListBlockedHelo); break;
    case kSender: stats::count(stats::Counter::kListBlockedSender); break;
    case kRecipient: stats::count(stats::Counter::kListBlockedRecipient); break;
  }
  return mail::Reply::make(554, "5.7.1", refusal_text(match->kind, visit));
}

std::optional<mail::Reply> Admission::by_score(const policy::Visit& visit, const config::Domain& domain, const BlockLists::Score& score) {
  if (score.sum >= block_lists_.threshold()) {
    stats::count(stats::Counter::kDnsblBlocked);
    return mail::Reply::make(554, "5.7.1", fmt::format("Service unavailable; Client host [{}] blocked using {}", visit.client.text(), score.zone));
  }
  return score.sum < 0 ? std::nullopt : by_greylist(visit, domain);
}

std::optional<mail::Reply> Admission::by_greylist(const policy::Visit& visit, const config::Domain& domain) {
  if (!domain.greylist) return std::nullopt;
  return greylisting_.judge(visit, loop_.now(), base::wall_now());
}

void Admission::note_slow_regexes() {
  const auto now = lists_.gave_up();
  if (now > 0 && gave_up_ == 0) base::log().warning("lists: a regular expression took too long and was given up; it counts as not found");
  gave_up_ = now;
}

}  // namespace holdfast::smtpd
