#include "prober/service.h"

#include <vector>

#include "common/base/installation_token.h"
#include "common/base/log.h"
#include "common/base/text.h"

namespace holdfast::prober {
namespace {

constexpr base::Millis kExpireEvery{60'000};
// First probes after a start are spread over this, or the interval where that is shorter.
constexpr std::int64_t kStagger = 1000;
constexpr std::size_t kRowsAtOnce = 5000;

}  // namespace

base::Result<std::unique_ptr<daemon::Service>> start(daemon::Context& context) {
  auto token = base::installation_token(context.config->paths.state);
  if (!token) return std::unexpected(token.error());
  auto store = Store::open(context.loop, context.config->paths.state);
  if (!store) return std::unexpected(store.error());
  auto service = std::make_unique<Service>(context, std::move(*store), *token);
  if (auto listening = service->listen(); !listening) return std::unexpected(listening.error());
  return service;
}

Service::Service(daemon::Context& context, std::unique_ptr<Store> store, std::string token)
    : store_(std::move(store)),
      resolver_(context.loop),
      shared_{.loop = context.loop,
              .resolver = resolver_,
              .store = *store_,
              .token = std::move(token),
              .config = context.config,
              .publish = [this](const ipc::Destination& state) { server_.broadcast(state); },
              .routes = std::make_shared<destination::MxRoutes>(context.loop, context.config)},
      learner_(context.loop, *store_, context.config),
      desk_(shared_, monitors_),
      expiry_(context.loop, [this] { expire_recipients(*store_, shared_.config); }),
      server_(context.loop, context.socket("prober"), context.hello(), *this) {
  learner_.set_destinations({.accepted =
                                 [this](const std::string& destination, const std::string& key) {
                                   Monitor* found = monitor(destination);
                                   return found != nullptr && found->accepted(key);
                                 },
                             .downtime_ms =
                                 [this](std::string_view destination) {
                                   const Monitor* found = monitor(destination);
                                   return found == nullptr ? 0 : found->downtime_ms();
                                 }});
  store_->on_failing([this] {
    for (auto& [name, found] : monitors_) found->store_failing();
  });
  add_monitors();
  drop_unknown_rows();
  restore_suspicions("");
  expire_recipients(*store_, shared_.config);
  expiry_.every(kExpireEvery);
}

Service::~Service() { *alive_ = false; }

base::Status Service::listen() { return server_.start(); }

void Service::add_monitors() {
  store_->read([&](const storage::Directory& directory, const storage::Txn& txn) {
    for (const auto& [name, destination] : shared_.config->destinations) {
      if (monitors_.contains(name)) continue;
      const std::int64_t spread = std::min<std::int64_t>(kStagger, base::Millis(destination.probe.interval).count());
      const base::Millis first(base::random_number() % static_cast<std::uint64_t>(spread));
      monitors_.emplace(name, std::make_unique<Monitor>(shared_, name, directory.destination(txn, name), first));
    }
  });
}

void Service::drop_unknown_rows() {
  store_->submit([config = shared_.config](storage::Directory& directory, storage::WriteTxn& txn) -> base::Status {
    std::vector<std::string> gone;
    directory.each_destination(txn, [&](std::string_view name, const storage::DestinationRow&) {
      if (config->find_destination(name) == nullptr) gone.emplace_back(name);
      return true;
    });
    for (const std::string& name : gone) {
      if (auto erased = directory.erase_destination(txn, name); !erased) return erased;
    }
    return {};
  });
}

// Some rows at a time: a big directory does not keep the probes waiting.
void Service::restore_suspicions(std::string after) {
  std::size_t seen = 0;
  store_->read([&](const storage::Directory& directory, const storage::Txn& txn) {
    directory.each_recipient(txn, after, [&](std::string_view key, const storage::RecipientRow& row) {
      after = key;
      if (row.source == storage::RecipientSource::kLearnt && row.refused_ms != 0) {
        if (Monitor* found = monitor(row.destination)) {
          found->restore_suspicion(std::string(key), base::from_millis(row.refused_ms));
        }
      }
      return ++seen < kRowsAtOnce;
    });
  });
  if (seen < kRowsAtOnce) return;
  shared_.loop.post([this, alive = alive_, after = std::move(after)] {
    if (*alive) restore_suspicions(after);
  });
}

void Service::reload(config::ConfigPtr config) {
  // Monitors that go must not look at a configuration they are no longer in: they go first.
  Monitors gone;
  for (auto at = monitors_.begin(); at != monitors_.end();) {
    const auto next = std::next(at);
    if (config->find_destination(at->first) == nullptr) gone.insert(monitors_.extract(at));
    at = next;
  }
  for (auto& [name, leaving] : gone) leaving->abandon();
  gone.clear();
  shared_.config = std::move(config);
  shared_.routes->reload(shared_.config);
  learner_.reload(shared_.config);
  for (auto& [name, found] : monitors_) found->configure();
  add_monitors();
  drop_unknown_rows();
}

Monitor* Service::monitor(std::string_view name) {
  const auto found = monitors_.find(name);
  return found == monitors_.end() ? nullptr : found->second.get();
}

void Service::on_peer(ipc::Channel& peer) {
  peers_[&peer] = ++next_peer_;
  for (const auto& [name, found] : monitors_) {
    if (found->published()) peer.send(*found->published());
  }
}

void Service::on_gone(ipc::Channel& peer) { peers_.erase(&peer); }

bool Service::on_message(ipc::Channel& from, const ipc::Incoming& message) {
  if (const auto fact = message.as<ipc::Fact>()) {
    if (Monitor* found = monitor(fact->destination)) found->fact(*fact);
  } else if (const auto lesson = message.as<ipc::Learn>()) {
    learner_.learn(*lesson);
  } else if (const auto refusal = message.as<ipc::RefusedKnown>()) {
    if (Monitor* found = monitor(refusal->destination)) found->refused(*refusal);
  } else if (const auto wish = message.as<ipc::ProbeNow>()) {
    if (Monitor* found = monitor(wish->destination)) found->look();
  } else if (const auto report = message.as<ipc::DrainReport>()) {
    if (Monitor* found = monitor(report->destination)) found->drain_report(*report);
  } else if (const auto question = message.as<ipc::Control>()) {
    control(from, *question);
  } else {
    return false;
  }
  return true;
}

void Service::control(ipc::Channel& from, const ipc::Control& question) {
  if (!from.may_command()) return from.send(ipc::refused_command());
  const std::uint64_t asker = peers_[&from];
  desk_.answer(question, [this, alive = alive_, channel = &from, asker](const ipc::ControlReply& reply) {
    if (!*alive) return;
    const auto peer = peers_.find(channel);
    if (peer != peers_.end() && peer->second == asker) channel->send(reply);
  });
}

}  // namespace holdfast::prober
