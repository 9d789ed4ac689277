#include "deliver/worker.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <cerrno>

#include "common/base/announce.h"
#include "common/base/log.h"
#include "common/destination/fact.h"
#include "common/ipc/locks.h"
#include "common/mail/events.h"
#include "common/stats/counters.h"
#include "deliver/delivery_log.h"

namespace holdfast::deliver {

namespace {

constexpr net::Millis kQmgrsReturn{3'000};
// Facts are dropped while the prober does not read them.
constexpr std::size_t kMostUnsent = 4 << 20;

// The servers depend on the message's recipient (bounces), not on the destination alone.
bool by_own_mx(const config::Destination& destination) { return destination.mx && destination.mx_domain.empty(); }

void count_outcome(const ipc::Job& job, const ipc::Outcome& outcome, base::Millis took) {
  using stats::Counter;
  stats::count(Counter::kAttempts);
  if (const auto answer = answer_of(outcome)) stats::count_answer(outcome.destination, *answer, took);
  if (outcome.connection_lost) stats::count(Counter::kConnectionsLost);
  if (outcome.damaged) stats::count(Counter::kDamaged);
  bool sent = false;
  for (const auto& recipient : outcome.recipients) {
    const auto status = static_cast<ipc::RecipientStatus>(recipient.status);
    sent = sent || status == ipc::RecipientStatus::kSent;
    stats::count(status == ipc::RecipientStatus::kSent      ? Counter::kSent
                 : status == ipc::RecipientStatus::kRefused ? Counter::kRefused
                                                            : Counter::kDeferred);
  }
  if (sent) stats::count(Counter::kDeliveredBytes, job.record.length);
}

// Blocks: qmgr tries the lock for a moment now and then, and a deliver of this number that a dead master
// left behind ends within 8 s. SIGTERM still ends us here.
base::Status wait_for(int lock) {
  while (::flock(lock, LOCK_EX) != 0) {
    if (errno != EINTR) return base::fail_errno("lock", errno);
  }
  return {};
}

}  // namespace

class Worker::FromQmgr final : public Link {
 public:
  using Link::Link;
  void on_peer(ipc::Channel& qmgr) override { qmgr.send(worker_.ledger_.hello()); }
  bool on_message(ipc::Channel&, const ipc::Incoming& message) override {
    if (auto job = message.as<ipc::Job>()) {
      if (job->recipients.empty()) return false;
      worker_.on_job(std::move(*job));
      return true;
    }
    const auto committed = message.as<ipc::OutcomeCommitted>();
    if (!committed) return false;
    worker_.ledger_.committed(*committed);
    worker_.drained();
    return true;
  }
  void on_gone(ipc::Channel&) override {
    // The channel is still there while this is called: look again when it is not.
    worker_.loop_.later([this] { worker_.drained(); });
  }
};

class Worker::FromProber final : public Link {
 public:
  using Link::Link;
  bool on_message(ipc::Channel&, const ipc::Incoming& message) override {
    const auto destination = message.as<ipc::Destination>();
    if (!destination) return false;
    if (destination->state == mail::DestinationState::kUp || destination->state == mail::DestinationState::kDraining) {
      worker_.pools_.forgive(destination->name);
    }
    return true;
  }
};

base::Result<std::unique_ptr<daemon::Service>> Worker::start(daemon::Context& context) {
  const std::string path = ipc::deliver_lock(ipc::locks_folder(context.config->paths.run), context.worker);
  base::UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!lock) return base::fail_errno(path, errno);
  if (auto locked = wait_for(lock.get()); !locked) return std::unexpected(locked.error());
  return std::make_unique<Worker>(context, std::move(lock));
}

Worker::Worker(daemon::Context& context, base::UniqueFd lock)
    : loop_(context.loop),
      config_(context.config),
      lock_(std::move(lock)),
      routes_(std::make_shared<destination::MxRoutes>(loop_, config_)),
      directory_(config_->paths.state),
      pools_(loop_, config_, routes_, directory_, [this](const auto& destination, const auto& seen) { report(destination, seen); }),
      mx_pools_(loop_, config_, routes_),
      rescans_(loop_, config_, [this](const config::Domain& domain) { return bypassed_by_hand(domain); }),
      qmgr_may_come_(loop_, [this] { drained(); }),
      from_qmgr_(std::make_unique<FromQmgr>(*this)),
      from_prober_(std::make_unique<FromProber>(*this)),
      qmgr_(loop_, context.socket("qmgr"), context.hello(), *from_qmgr_),
      prober_(loop_, context.socket("prober"), context.hello(), *from_prober_) {
  qmgr_.start();
  prober_.start();
}

Worker::~Worker() {
  for (const auto& [id, running] : running_) {
    if (running.delivery && running.delivery->in_doubt()) {
      base::log().warning(mail::events::possible_duplicate(mail::QueueId{id}, running.delivery->outcome().relay));
    }
  }
}

void Worker::on_job(ipc::Job job) {
  if (draining_) return;  // qmgr hands it out again when our connection ends
  const Ledger::Begin begin = ledger_.begin(job);
  if (begin == Ledger::Begin::kEnded) qmgr_.send(ledger_.outcome(job));
  if (begin != Ledger::Begin::kNow) return;
  const config::Destination* destination = config_->find_destination(job.destination);
  if (destination == nullptr) {
    OutcomeBuilder builder(job);
    builder.local_failure(fmt::format("the destination {} is not configured", job.destination));
    return refuse(job, builder);
  }
  running_[job.queue_id] = {
      .since = base::wall_now(), .attempt = job.attempt, .by_mx = by_own_mx(*destination), .delivery = nullptr};
  if (by_own_mx(*destination)) {
    find_servers(*destination, std::move(job));
  } else {
    auto pool = pools_.job_begun(job.destination);
    hand_over(std::move(job), std::move(pool));
  }
}

void Worker::find_servers(const config::Destination& destination, ipc::Job job) {
  const std::string domain = job.mx_domain;
  mx_pools_.find(destination, domain, [this, job = std::move(job)](auto pool) {
    const auto at = running_.find(job.queue_id);
    if (at == running_.end() || at->second.attempt != job.attempt || at->second.delivery) return;
    if (pool) return hand_over(job, std::move(*pool));
    running_.erase(at);
    mx_pools_.job_ended(job.destination, job.mx_domain);
    OutcomeBuilder builder(job);
    builder.unroutable(pool.error());
    refuse(job, builder);
    drained();
  });
}

void Worker::hand_over(ipc::Job job, std::shared_ptr<upstream::Pool> pool) {
  running_[job.queue_id].delivery = std::make_unique<Delivery>(
      loop_, std::move(job), std::move(pool), [this](const ipc::Job& j) { return open_record(j); },
      [this](Delivery& delivery) { on_done(delivery); }, &rescans_);
}

void Worker::refuse(const ipc::Job& job, const OutcomeBuilder& builder) {
  for (const auto& line : lines_of(job, builder.outcome(), delays_of(job, base::wall_now(), {}, {}))) {
    base::log().write(line);
  }
  count_outcome(job, builder.outcome(), {});
  tell(builder.outcome());
}

void Worker::on_done(Delivery& delivery) {
  const auto at = running_.find(delivery.job().queue_id);
  const auto [connecting, transmitting] = delivery.times();
  const auto delays = delays_of(delivery.job(), at->second.since, connecting, transmitting);
  count_outcome(delivery.job(), delivery.outcome(), connecting + transmitting);
  stats::observe(stats::Histogram::kDeliverSeconds, connecting + transmitting);
  for (const auto& line : lines_of(delivery.job(), delivery.outcome(), delays)) base::log().write(line);
  if (delivery.outcome().possible_duplicate) {
    base::announce(base::Level::kNotice, "possible_duplicate", {{"destination", delivery.outcome().destination},
                                                                {"queue_id", mail::QueueId{delivery.outcome().queue_id}.text()},
                                                                {"relay", delivery.outcome().relay}});
  }
  if (delivery.outcome().damaged) {
    base::log().error(fmt::format("{}: the record in the spool is damaged: {}", mail::QueueId{at->first}.text(),
                                  delivery.outcome().recipients.front().reply));
  }
  if (const auto& job = delivery.job(); at->second.by_mx) {
    mx_pools_.job_ended(job.destination, job.mx_domain);
  } else {
    pools_.job_ended(job.destination);
  }
  tell(delivery.outcome());
  loop_.bury(std::move(at->second.delivery));
  running_.erase(at);
  drained();
}

void Worker::tell(const ipc::Outcome& outcome) {
  ledger_.end(outcome);
  qmgr_.send(outcome);
}

bool Worker::bypassed_by_hand(const config::Domain& domain) {
  const auto row = directory_.domain(domain.name);
  return row && row->filtering.at(base::to_millis(base::wall_now())) == storage::HandWord::kBypass;
}

base::Result<storage::Record> Worker::open_record(const ipc::Job& job) const {
  auto record = storage::Record::open(storage::segments_folder(config_->paths.spool), job.record,
                                      mail::QueueId{job.queue_id}, job.generation);
  if (!record) return record;
  if (auto sound = record->verify(); !sound) return std::unexpected(sound.error());
  return record;
}

void Worker::report(const std::string& destination, const upstream::Observation& seen) {
  if (prober_.channel() == nullptr || prober_.channel()->unsent() > kMostUnsent) return;
  prober_.send(destination::fact_of(destination, seen));
}

void Worker::reload(config::ConfigPtr config) {
  config_ = config;
  routes_->reload(config);
  pools_.reload(config);
  mx_pools_.reload(config);
  rescans_.reload(std::move(config));
}

void Worker::drain(std::function<void()> done) {
  draining_ = true;
  drained_ = std::move(done);
  qmgr_may_come_.start(kQmgrsReturn);
  for (auto at = running_.begin(); at != running_.end();) {
    if (at->second.delivery && at->second.delivery->begun()) {
      ++at;
      continue;
    }
    ledger_.forget(at->first);
    at = running_.erase(at);
  }
  drained();
}

void Worker::drained() {
  if (!drained_ || !running_.empty()) return;
  if (ledger_.outcomes() > 0 && (qmgr_.channel() != nullptr || qmgr_may_come_.waiting())) return;
  std::exchange(drained_, nullptr)();
}

}  // namespace holdfast::deliver
