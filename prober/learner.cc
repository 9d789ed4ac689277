#include "prober/learner.h"

#include <memory>
#include <optional>

#include "common/stats/counters.h"
#include "prober/learning.h"
#include "prober/recipients.h"

namespace holdfast::prober {
namespace {

constexpr base::Millis kCountEvery{10'000};
constexpr std::size_t kExpiredAtOnce = 1000;  // of a domain, in one operation

// One batch, on the writer's thread. Done again from the start if the commit fails.
struct Batch {
  std::vector<ipc::LearntRecipient> recipients;
  std::map<std::string, std::int64_t, std::less<>> downtime_ms;  // of the destinations
  config::ConfigPtr config;
  std::int64_t now_ms = 0;

  base::Status apply(storage::Directory& directory, storage::WriteTxn& txn) const;
};

base::Status Batch::apply(storage::Directory& directory, storage::WriteTxn& txn) const {
  std::map<std::string, storage::DomainRow, std::less<>> domains;
  for (const auto& recipient : recipients) {
    const std::string_view name = domain_of(recipient.key);
    const config::Domain* domain = config->find_domain(name);
    if (domain == nullptr) continue;
    auto found = domains.find(name);
    if (found == domains.end()) {
      found = domains
                  .emplace(name,
                           directory.domain(txn, name).value_or(storage::DomainRow{.destination = domain->destination}))
                  .first;
    }
    storage::DomainRow& row = found->second;
    const bool tested_here = row.destination == domain->destination;
    const auto downtime = downtime_ms.find(domain->destination);
    const Lesson lesson = prober::learn(recipient, directory.recipient(txn, recipient.key),
                                        {.destination = domain->destination,
                                         .catch_all = tested_here ? row.catch_all : storage::CatchAll::kUnknown,
                                         .local = config->is_local_recipient(recipient.key),
                                         .downtime_ms = downtime == downtime_ms.end() ? 0 : downtime->second,
                                         .now_ms = now_ms});
    count_coverage(row, now_ms, recipient.count, lesson.covered ? recipient.count : 0);
    if (!lesson.write) continue;
    auto put = directory.put_recipient(txn, recipient.key, *lesson.write, config->recipient_cache.max_per_domain);
    if (!put) return put;
  }
  for (const auto& [name, row] : domains) {
    if (auto put = directory.put_domain(txn, name, row); !put) return put;
  }
  return {};
}

}  // namespace

Learner::Learner(net::Loop& loop, Store& store, config::ConfigPtr config)
    : store_(store), config_(std::move(config)), flush_(loop, [this] { flush(); }) {}

Learner::~Learner() { flush(); }

void Learner::learn(const ipc::Learn& lesson) {
  bool now = false;
  for (const auto& recipient : lesson.recipients) {
    stats::count(stats::Counter::kAccepted, recipient.count);
    now = destinations_.accepted(recipient.destination, recipient.key) || recipient.refresh || now;
    const auto known = waiting_.find(recipient.key);
    if (known != waiting_.end()) {
      known->second.count += recipient.count;
      known->second.refresh = known->second.refresh || recipient.refresh;
      known->second.destination = recipient.destination;
    } else if (waiting_.size() < kMostWaiting) {
      waiting_.emplace(recipient.key, recipient);
    }
  }
  if (now) {
    flush();
  } else if (!waiting_.empty() && !flush_.waiting()) {
    flush_.start(kCountEvery);
  }
}

void Learner::flush() {
  flush_.stop();
  if (waiting_.empty()) return;
  // A directory that cannot be written learns nothing: that costs a 451 later, not mail.
  if (store_.pending() > kMostPending) return waiting_.clear();
  auto batch = std::make_shared<Batch>();
  batch->config = config_;
  batch->now_ms = base::to_millis(base::wall_now());
  for (const auto& [name, destination] : config_->destinations) {
    batch->downtime_ms[name] = destinations_.downtime_ms(name);
  }
  for (auto& [key, recipient] : waiting_) batch->recipients.push_back(std::move(recipient));
  waiting_.clear();
  store_.submit(
      [batch](storage::Directory& directory, storage::WriteTxn& txn) { return batch->apply(directory, txn); });
}

void expire_recipients(Store& store, const config::ConfigPtr& config) {
  store.submit([config, now_ms = base::to_millis(base::wall_now())](storage::Directory& directory,
                                                                    storage::WriteTxn& txn) -> base::Status {
    std::vector<std::string> names;
    directory.each_domain(txn, [&](std::string_view name, const storage::DomainRow&) {
      names.emplace_back(name);
      return true;
    });
    for (const std::string& name : names) {
      auto gone = directory.expire(txn, name, now_ms, keep_rule(*config), kExpiredAtOnce);
      if (!gone) return std::unexpected(gone.error());
      if (config->find_domain(name) != nullptr || directory.learnt_count(txn, name) > 0) continue;
      if (auto erased = directory.erase_domain(txn, name); !erased) return erased;
    }
    return {};
  });
}

}  // namespace holdfast::prober
