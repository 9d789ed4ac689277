// Monitor: what it asks a destination about recipients, and what it makes of the answers.
#include <algorithm>

#include "common/base/log.h"
#include "common/base/text.h"
#include "prober/catch_all.h"
#include "prober/known_sample.h"
#include "prober/monitor.h"
#include "prober/recipients.h"

namespace holdfast::prober {
namespace {

// A server counts refused recipients as errors of the session: Postfix slows it down after ten of them.
constexpr std::size_t kSuspectsAsked = 3;
constexpr std::size_t kSamplesAsked = 4;
constexpr std::size_t kLocalAsked = 2;
constexpr std::size_t kAsked = 9;  // in all: the rest is for catch-all tests

base::Status forget_learnt(storage::Directory& directory, storage::WriteTxn& txn, const std::string& domain,
                           const std::string& destination) {
  std::vector<std::string> keys;
  directory.each_recipient_of(txn, domain, [&](std::string_view key, const storage::RecipientRow& row) {
    if (row.source != storage::RecipientSource::kLearnt) return false;  // learnt ones come first
    if (row.destination == destination) keys.emplace_back(key);
    return true;  // on the writer's thread, and max_per_domain at most
  });
  for (const std::string& key : keys) {
    if (auto erased = directory.erase_recipient(txn, key); !erased) return erased;
  }
  return {};
}

}  // namespace

std::vector<Ask> Monitor::gather_asks(const std::string& server) {
  const ServerHealth* health = health_.server(server);
  const bool broken = health != nullptr && health->refuses_known();
  const ServerHealth* first = health_.first_up();
  if (!broken && (first == nullptr || first->name() != server)) return {};
  std::vector<Ask> asks;
  add_known(asks, broken);
  if (broken && asks.empty() && all_asked_) {
    health_.set_refuses_known(server, false, present(shared_.loop));  // nobody is known any more
  }
  if (!broken) {
    add_local(asks);
    add_catch_all(asks);
  }
  return asks;
}

void Monitor::add_local(std::vector<Ask>& asks) {
  std::size_t added = 0;
  for (const auto& [key, address] : local_doubts_) {
    if (added++ == kLocalAsked) break;
    asks.push_back({Ask::Kind::kLocal, key, address});
  }
}

// The admin says it exists, the server says it does not: nothing is forgotten, but somebody should know.
void Monitor::judge_local(const Asked& asked) {
  local_doubts_.erase(asked.ask.key);
  if (judge_reply(asked.reply) != Said::kRefused) return;
  base::log().warning("recipient=<" + asked.ask.key + "> is a local recipient by configuration, but " + name_ +
                      " refuses it: " + base::printable(asked.reply.text()));
}

void Monitor::add_known(std::vector<Ask>& asks, bool sample_anyway) {
  const Now now = present(shared_.loop);
  std::vector<std::string> keys;
  for (auto& suspect : suspicions_.due(now.wall, kSuspectsAsked)) {
    keys.push_back(suspect.key);
    asks.push_back({Ask::Kind::kSuspect, suspect.key, suspect.address});
  }
  all_asked_ = false;
  if (asks.empty() && !sample_anyway) return;
  SampleWish wish{.destination = name_,
                  .domains = domains(),
                  .leave_out = std::move(keys),
                  .recent = {recent_.begin(), recent_.end()},
                  .most = kSamplesAsked,
                  .now_ms = base::to_millis(now.wall),
                  .keep = keep_rule(*shared_.config)};
  shared_.store.read([&](const storage::Directory& directory, const storage::Txn& txn) {
    const Sample sample = sample_known(directory, txn, wish, base::random_number());
    all_asked_ = sample.complete;
    for (const std::string& key : sample.keys) asks.push_back({Ask::Kind::kSample, key, key});
  });
}

void Monitor::add_catch_all(std::vector<Ask>& asks) {
  const Now now = present(shared_.loop);
  catch_all_left_ = false;
  shared_.store.read([&](const storage::Directory& directory, const storage::Txn& txn) {
    for (const std::string& domain : domains()) {
      if (!catch_all_due(directory.domain(txn, domain), name_, now.wall)) continue;
      const auto tried = catch_all_tried_.find(domain);
      if (tried != catch_all_tried_.end() && now.mono - tried->second < settings().probe.interval) continue;
      catch_all_left_ = asks.size() >= kAsked;
      if (catch_all_left_) return;
      catch_all_tried_[domain] = now.mono;
      asks.push_back({Ask::Kind::kCatchAll, domain, random_recipient(domain)});
    }
  });
}

void Monitor::on_answers(const std::string& server, const std::vector<Asked>& answers) {
  asking_ = false;
  std::vector<Answer> known;
  for (const Asked& asked : answers) {
    if (asked.ask.kind == Ask::Kind::kCatchAll) {
      judge_catch_all_answer(asked);
    } else if (asked.ask.kind == Ask::Kind::kLocal) {
      judge_local(asked);
    } else {
      known.push_back({asked.ask.key, judge_reply(asked.reply)});
    }
  }
  if (!known.empty()) judge_known(server, known);
  act();
}

void Monitor::judge_catch_all_answer(const Asked& asked) {
  const std::string& domain = asked.ask.key;
  std::optional<storage::DomainRow> row;
  shared_.store.read(
      [&](const storage::Directory& directory, const storage::Txn& txn) { row = directory.domain(txn, domain); });
  const bool same = row && row->destination == name_;
  const auto before = same ? row->catch_all : storage::CatchAll::kUnknown;
  const auto verdict = judge_catch_all(asked.reply, before, postmaster_accepted_);
  if (!verdict) return;
  if (*verdict == storage::CatchAll::kYes && before != *verdict) {
    base::log().warning("domain=" + domain + " destination=" + name_ +
                        " accepts any recipient: none is learnt, only local recipients are kept while it is down");
  } else if (*verdict != before) {
    base::log().notice("domain=" + domain + " destination=" + name_ + " refuses unknown recipients: they are learnt");
  }
  // What was learnt before the first test came from a catch-all. Later on it is only not believed (see
  // storage::standing): a server that takes everything for a day must not cost us what we knew.
  const bool unlearn = *verdict == storage::CatchAll::kYes && before == storage::CatchAll::kUnknown;
  shared_.store.submit([domain, name = name_, verdict = *verdict, unlearn, tested = base::to_millis(base::wall_now())](
                           storage::Directory& directory, storage::WriteTxn& txn) -> base::Status {
    if (unlearn) {
      if (auto done = forget_learnt(directory, txn, domain, name); !done) return done;
    }
    storage::DomainRow next = directory.domain(txn, domain).value_or(storage::DomainRow{});
    next.destination = name;
    next.catch_all = verdict;
    next.catch_all_tested_ms = tested;
    return directory.put_domain(txn, domain, next);
  });
}

void Monitor::judge_known(const std::string& server, const std::vector<Answer>& answers) {
  const Now now = present(shared_.loop);
  const Findings findings = suspicions_.judge(answers, all_asked_, now.wall);
  if (findings.refuses_known) {
    const ServerHealth* health = health_.server(server);
    if (health != nullptr && !health->refuses_known()) {
      base::log().warning("destination=" + name_ + " server=" + server +
                          " refuses known recipients: nothing is forgotten");
    }
    health_.set_refuses_known(server, true, now);
  } else if (findings.accepts_known) {
    health_.set_refuses_known(server, false, now);
  }
  keep_findings(findings);
}

void Monitor::keep_findings(const Findings& findings) {
  if (findings.accepted.empty() && findings.refused.empty() && findings.forget.empty()) return;
  for (const std::string& key : findings.refused) {
    base::log().notice("recipient=<" + key + "> refused by " + name_ + " when we asked: will ask again");
  }
  for (const std::string& key : findings.forget) {
    base::log().notice("recipient=<" + key + "> forgotten: refused twice by " + name_ + " when we asked");
  }
  shared_.store.submit([findings, now_ms = base::to_millis(base::wall_now()), downtime = downtime_ms(),
                        most = shared_.config->recipient_cache.max_per_domain](storage::Directory& directory,
                                                                               storage::WriteTxn& txn) -> base::Status {
    const auto change = [&](const std::string& key, auto&& edit) -> base::Status {
      auto row = directory.recipient(txn, key);
      if (!row || row->source != storage::RecipientSource::kLearnt) return {};
      edit(*row);
      return directory.put_recipient(txn, key, *row, most);
    };
    for (const auto& key : findings.accepted) {
      auto done = change(key, [&](storage::RecipientRow& row) {
        row.verified_ms = now_ms;
        row.downtime_at_verify_ms = downtime;
        row.refused_ms = 0;
      });
      if (!done) return done;
    }
    for (const auto& key : findings.refused) {
      if (auto done = change(key, [&](storage::RecipientRow& row) { row.refused_ms = now_ms; }); !done) return done;
    }
    for (const auto& key : findings.forget) {
      const auto row = directory.recipient(txn, key);
      if (!row || row->source != storage::RecipientSource::kLearnt) continue;
      if (auto done = directory.erase_recipient(txn, key); !done) return done;
    }
    return {};
  });
}

bool Monitor::can_ask() const {
  return health_.first_up() != nullptr || std::ranges::any_of(health_.servers(), &ServerHealth::refuses_known);
}

bool Monitor::more_to_ask() const {
  return catch_all_left_ || (can_ask() && !local_doubts_.empty()) ||
         (can_ask() && !suspicions_.due(base::wall_now(), 1).empty());
}

}  // namespace holdfast::prober
