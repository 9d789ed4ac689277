#include "qmgr/service.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sysexits.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/mail/events.h"
#include "common/stats/counters.h"
#include "common/storage/index_lock.h"
#include "qmgr/tallies.h"

namespace holdfast::qmgr {
namespace {

constexpr base::Millis kHousekeeping{10'000};
constexpr base::Millis kOrphans{1'000};  // the lock of a writer goes a moment after its connection

// When an index was last committed to; now, if it has just been made.
base::Wall last_written(const std::string& folder) {
  struct stat info {};
  if (::stat((folder + "/data.mdb").c_str(), &info) != 0) return base::wall_now();
  return base::from_millis(info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1'000'000);
}

}  // namespace

base::Result<std::unique_ptr<daemon::Service>> Qmgr::start(daemon::Context& context) {
  if (auto made = base::make_folders(storage::segments_folder(context.config->paths.spool)); !made) {
    return std::unexpected(made.error());
  }
  auto lock = storage::lock_index(context.config->paths.spool);
  if (!lock) return std::unexpected(lock.error());
  auto index = storage::QueueIndex::open(context.config->paths.spool, {.map_bytes = context.config->index_map_size},
                                         context.writer);
  if (!index) return std::unexpected(index.error());
  auto qmgr = std::make_unique<Qmgr>(context, std::move(*lock), std::move(*index));
  if (auto opened = qmgr->open(); !opened) return std::unexpected(opened.error());
  return qmgr;
}

Qmgr::Qmgr(daemon::Context& context, base::UniqueFd lock, std::unique_ptr<storage::QueueIndex> index)
    : loop_(context.loop),
      config_(context.config),
      mailbox_(std::make_shared<Mailbox>()),
      lock_(std::move(lock)),
      index_(std::move(index)),
      own_spool_(config_->paths.spool, context.writer, *index_),
      reports_(config_->paths.spool, *index_, own_spool_),
      writer_(std::make_unique<storage::BatchWriter>(index_->env(), storage::BatchWriter::Options{}, writer_hooks())),
      prober_(loop_, context.socket("prober"), context.hello(), config_,
              {.state = [this](const ipc::Destination& told) { dispatcher_.destination_state(told); },
               .connected = [this] { dispatcher_.prober_connected(); }}),
      couriers_(loop_, config_->paths.run,
                {.outcome = [this](std::uint32_t worker, const ipc::Outcome& o) { dispatcher_.outcome(worker, o); },
                 .running = [this](const ipc::RunningJob& job) { dispatcher_.running(job); },
                 .lost = [this](const std::vector<mail::QueueId>& ids) { dispatcher_.jobs_lost(ids); },
                 .changed = [this] { dispatcher_.pump(); }}),
      dispatcher_({.loop = loop_, .index = *index_, .writer = *writer_, .couriers = couriers_, .prober = prober_, .reports = reports_,
                   .told = [this](const Told& told) { bouncer_.committed(told); }},
                  config_),
      bouncer_(loop_, *index_, *writer_, reports_, config_,
               {.queued = [this](const NewMessage& report) { dispatcher_.queued(report); }}),
      deadlines_({.loop = loop_, .index = *index_, .writer = *writer_, .reports = reports_}, config_,
                 {.claim = [this](mail::QueueId id) { return dispatcher_.claim(id); },
                  .unclaim = [this](mail::QueueId id) { dispatcher_.unclaim(id); },
                  .told = [this](const Told& told) { bouncer_.committed(told); },
                  .changed = [this] { dispatcher_.queue_changed(); }}),
      indexer_(config_->paths.spool, *index_, *writer_, [this](const IndexedStep& step) { dispatcher_.indexed(step); }),
      reclaimer_(config_->paths.spool, *index_, *writer_),
      spool_care_(loop_, *index_, config_),
      commands_(*index_, *writer_,
                {.removed =
                     [](mail::QueueId id) {
                       stats::count(stats::Counter::kRemoved);
                       base::log().write(mail::events::removed(id));
                     },
                 .changed = [this] { dispatcher_.queue_changed(); },
                 .claim = [this](mail::QueueId id) { return dispatcher_.claim(id); },
                 .unclaim = [this](mail::QueueId id) { dispatcher_.unclaim(id); },
                 .lifetime = [this](const std::string& name) { return lifetime_of(name); }}),
      server_(loop_, context.socket("qmgr"), context.hello(), *this),
      housekeeping_(loop_, [this] { housekeeping(); }),
      orphans_(loop_, [this] {
        if (auto done = indexer_.look_for_orphans(); !done) base::log().warning(done.error().text);
      }) {
  mailbox_->owner = this;
}

Qmgr::~Qmgr() {
  mailbox_->owner = nullptr;
  writer_.reset();  // commits what is left, while all it works on still stands
}

storage::BatchWriter::Hooks Qmgr::writer_hooks() {
  return {.committed =
              [box = mailbox_, &loop = loop_](std::vector<storage::BatchWriter::Done> dones) {
                loop.post([box, dones = std::move(dones)] {
                  for (const auto& done : dones) {
                    if (box->owner != nullptr) done();
                  }
                  if (box->owner != nullptr) box->owner->committed();
                });
              },
          .health =
              [box = mailbox_, &loop = loop_](std::optional<base::Error> error) {
                loop.post([box, error = std::move(error)] {
                  if (box->owner != nullptr) box->owner->health(error);
                });
              },
          .begun = [this] { own_spool_.begun(); },
          .prepare = [this](storage::WriteTxn&) { return own_spool_.prepare(); },
          .dropped = [this](const base::Error& error) { own_spool_.dropped(error); }};
}

// Whoever has put a debt has committed it by now.
void Qmgr::committed() {
  bouncer_.look();
  deadlines_.look();
  spool_care_.committed();
  dispatcher_.check_idle();
}

void Qmgr::health(const std::optional<base::Error>& error) {
  if (error) {
    base::log().error("the queue index cannot be written, nothing is handed out: " + error->text);
  } else {
    base::log().notice("the queue index can be written again");
  }
  spool_care_.health(error);
  dispatcher_.commits_work(!error);
}

base::Status Qmgr::open() {
  const auto last_lived = last_written(storage::QueueIndex::folder(config_->paths.spool));
  plan_new_mail();
  index_->env().clear_stale_readers();
  indexer_.remove_unfinished();
  if (auto done = indexer_.look_for_orphans(); !done) return done;
  reclaimer_.look();
  bouncer_.look();
  if (auto done = couriers_.start(); !done) return done;
  deadlines_.start(last_lived);
  prober_.start();
  spool_care_.start();
  housekeeping_.every(kHousekeeping);
  return server_.start();
}

void Qmgr::reload(config::ConfigPtr config) {
  config_ = std::move(config);
  prober_.configure(config_);
  spool_care_.configure(config_);
  dispatcher_.configure(config_);
  bouncer_.configure(config_);
  plan_new_mail();
  deadlines_.configure(config_);
}

void Qmgr::plan_new_mail() {
  indexer_.set_plan([config = config_](storage::MessageRow& row, const mail::Envelope&) {
    begin_lifetime(row, *config, base::to_millis(base::wall_now()));
  });
}

// Outcomes of what runs are waited for: a message whose outcome is not committed is delivered again.
void Qmgr::drain(std::function<void()> done) {
  bouncer_.stop();
  deadlines_.stop();
  dispatcher_.stop(std::move(done));
}

void Qmgr::housekeeping() {
  index_->env().clear_stale_readers();
  if (auto done = indexer_.look_for_orphans(); !done) base::log().warning(done.error().text);
  reclaimer_.look();
}

void Qmgr::on_peer(ipc::Channel& channel) {
  peers_.insert(&channel);
  if (channel.peer().name == "smtpd") spool_care_.joined(channel);
}

void Qmgr::on_gone(ipc::Channel& channel) {
  peers_.erase(&channel);
  if (channel.peer().name == "deliver") couriers_.gone(channel);
  if (channel.peer().name == "smtpd") {
    spool_care_.gone(channel);
    orphans_.start(kOrphans);
  }
}

bool Qmgr::on_message(ipc::Channel& from, const ipc::Incoming& message) {
  const auto& who = from.peer().name;
  if (const auto synced = message.as<ipc::Synced>(); synced && who == "smtpd") {
    indexer_.synced(*synced);
    return true;
  }
  if (const auto hello = message.as<ipc::DeliverHello>(); hello && who == "deliver") {
    couriers_.hello(from, *hello);
    return true;
  }
  if (const auto outcome = message.as<ipc::Outcome>(); outcome && who == "deliver") return couriers_.outcome(from, *outcome);
  if (const auto asked = message.as<ipc::Control>()) {
    control(from, *asked);
    return true;
  }
  return false;
}

// Of a destination that mail can be rerouted to.
std::optional<base::Seconds> Qmgr::lifetime_of(const std::string& name) const {
  const auto found = config_->destinations.find(name);
  if (found == config_->destinations.end()) return std::nullopt;
  return found->second.lifetime();
}

// A Synced from who is no daemon: gatewayctl has written a segment (import, selftest).
ipc::ControlReply Qmgr::take_segment(const ipc::Control& asked) {
  std::vector<std::uint64_t> numbers;
  for (const auto& word : asked.words) {
    if (const auto number = base::to_number(word)) numbers.push_back(*number);
  }
  if (asked.words.size() != 4 || numbers.size() != 4 || std::max(numbers[0], numbers[1]) > UINT32_MAX) {
    return {.exit = EX_USAGE, .json = {}, .text = "qmgr.synced needs writer, segment, bytes, sealed"};
  }
  indexer_.synced({.writer = static_cast<std::uint32_t>(numbers[0]), .segment = static_cast<std::uint32_t>(numbers[1]),
                   .upto = numbers[2], .sealed = numbers[3] != 0});
  return {.exit = 0, .json = "{}", .text = {}};
}

void Qmgr::control(ipc::Channel& from, const ipc::Control& asked) {
  if (asked.command == "qmgr.possible_duplicate") {  // smtpd's, of a live transaction; not answered
    stats::count(stats::Counter::kPossibleDuplicates);
    writer_->submit([](storage::WriteTxn& txn) { return count(txn, Tally::kPossibleDuplicates); });
    return;
  }
  if (!from.may_command()) return from.send(ipc::refused_command());
  if (asked.command == "qmgr.status" || asked.command == "qmgr.synced") {
    from.send(asked.command == "qmgr.status" ? status() : take_segment(asked));
    return;
  }
  commands_.run(asked, [this, channel = &from](const ipc::ControlReply& reply) {
    if (peers_.contains(channel)) channel->send(reply);
  });
}

ipc::ControlReply Qmgr::status() {
  storage::ReadTxn txn(index_->env());
  const storage::ReadTxn::View view(txn);
  if (!view) return {.exit = EX_TEMPFAIL, .json = {}, .text = view.error().text};
  const auto all = index_->counter(txn, "");
  auto active = nlohmann::json::array(), lanes = nlohmann::json::array();
  for (const auto id : dispatcher_.active()) active.push_back(id.text());
  for (const auto& lane : dispatcher_.lanes()) {
    lanes.push_back({{"name", lane.name}, {"state", lane.state}, {"phase", lane.phase}, {"reason", lane.reason},
                     {"active", lane.active}, {"limit", lane.limit},
                     {"queued", index_->counter(txn, lane.name).messages()}});
  }
  const nlohmann::json out{{"messages", all.messages()}, {"bytes", all.bytes}, {"deferred", all.deferred},
                           {"held", all.held}, {"frozen", all.frozen}, {"active", active}, {"destinations", lanes},
                           {"committing", dispatcher_.commits_work()},
                           {"possible_duplicates", tally(txn, Tally::kPossibleDuplicates)},
                           {"bounces", {{"written", tally(txn, Tally::kBounces)},
                                        {"delays", tally(txn, Tally::kDelayNotices)},
                                        {"suppressed", tally(txn, Tally::kSuppressed)}}}};
  // Reasons hold what servers said: bytes that are no UTF-8 must not make this fail.
  return {.exit = 0, .json = out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), .text = {}};
}

}  // namespace holdfast::qmgr
