#include "alertd/service.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "alertd/event_rules.h"
#include "alertd/words.h"
#include "common/base/log.h"
#include "common/base/panic.h"
#include "common/base/text.h"
#include "common/config/alert_kinds.h"

namespace holdfast::alertd {
namespace {

constexpr net::Millis kFirstLook{1'000}, kLook{30'000};

std::int64_t wall_ms() { return base::to_millis(base::wall_now()); }

std::int64_t millis(base::Seconds d) { return std::chrono::duration_cast<base::Millis>(d).count(); }

std::string sender_text(const ipc::Hello& hello) { return base::printable(fmt::format("{} {}", hello.name.substr(0, 40), hello.worker)); }

}  // namespace

struct Service::FromProber : ipc::ChannelHandler {
  explicit FromProber(Service& service) : owner(service) {}
  bool on_message(ipc::Channel&, const ipc::Incoming& message) override {
    const auto told = message.as<ipc::Destination>();
    if (!told) return false;
    owner.destination(*told);
    return true;
  }
  Service& owner;
};

base::Result<std::unique_ptr<daemon::Service>> Service::start(daemon::Context& context, base::UniqueFd helper) {
  if (!helper) return base::fail(base::Kind::kTemporary, "the process that runs commands cannot be started");
  auto store = Store::open(context.loop, context.config->paths.state);
  // Without it what is pending is lost with this process; that is no reason to tell nobody of anything.
  if (!store) base::log().error("alerts: nothing will outlive this process: " + store.error().text);
  auto service = std::make_unique<Service>(context, store ? std::move(*store) : nullptr, std::move(helper));
  if (auto listening = service->server_.start(); !listening) return std::unexpected(listening.error());
  return service;
}

Service::Service(daemon::Context& context, std::unique_ptr<Store> store, base::UniqueFd helper)
    : loop_(context.loop),
      config_(context.config),
      store_(std::move(store)),
      lookout_(config_),
      commands_(loop_, std::move(helper), [] { base::panic("the process that runs commands has ended"); }),
      roads_(loop_, config_, commands_),
      desk_(book_, outbox_, road_states_),
      look_(loop_, [this] { look(); }),
      pump_(loop_, [this] { pump(); }),
      from_prober_(std::make_unique<FromProber>(*this)),
      prober_(loop_, context.socket("prober"), context.hello(), *from_prober_),
      server_(loop_, context.socket("alertd"), context.hello(), *this) {
  restore();
  configure();
  prober_.start();
  look_.start(kFirstLook);
}

Service::~Service() { *alive_ = false; }

void Service::restore() {
  if (!store_) return;
  store_->on_failing([this] { pump(); });
  auto contents = store_->read();
  std::set<std::uint64_t> pending;
  for (const auto& notice : contents.notices) pending.insert(notice.id);
  book_.restore(std::move(contents.alerts), std::move(contents.silences));
  outbox_.restore(std::move(contents.notices));
  for (auto& taken : contents.taken) taken_.insert_or_assign(taken.sender, taken);
  if (!pending.empty()) base::log().notice(fmt::format("{} notices are still to be sent", pending.size()));
}

void Service::configure() {
  const auto& alerts = config_->alerts;
  book_.set_rules({.repeat_ms = millis(alerts.repeat), .ignore = {alerts.ignore.begin(), alerts.ignore.end()}});
  roads_.configure(config_);
  const auto names = roads_.names();
  outbox_.set_roads(names, roads_.names_for_reports());
  for (const auto& name : roads_.all_names()) outbox_.hasten(name, wall_ms());
  std::erase_if(road_states_, [all = roads_.all_names()](const auto& entry) { return std::ranges::find(all, entry.first) == all.end(); });
  forget_what_is_gone();
  persist();
}

void Service::reload(config::ConfigPtr config) {
  config_ = std::move(config);
  lookout_.configure(config_);
  configure();
  look();
}

// Alerts about destinations, domains and filters that are not ours any more.
void Service::forget_what_is_gone() {
  std::erase_if(told_, [&](const auto& entry) { return config_->find_destination(entry.first) == nullptr; });
  std::vector<std::pair<std::string, std::string>> gone;
  for (const auto& [id, alert] : book_.alerts()) {
    const auto* kind = config::find_alert_kind(alert.kind);
    const bool lost_destination = kind->subject == "destination" && !alert.subject.empty() && !config_->find_destination(alert.subject);
    const bool lost_domain = kind->subject == "domain" && alert.subject != "all" && config_->find_domain(alert.subject) == nullptr;
    const bool lost_filter = kind->subject == "filter" && std::ranges::find(config_->filters, alert.subject, &config::Filter::name) == config_->filters.end();
    if (lost_destination || lost_domain || lost_filter) gone.emplace_back(alert.kind, alert.subject);
  }
  for (const auto& [kind, subject] : gone) book_.forget(kind, subject);
}

// What a daemon said lasts until it says otherwise; one that was started anew would say it again.
void Service::on_peer(ipc::Channel& peer) {
  peers_[&peer] = ++next_peer_;
  const auto known = taken_.find(sender_text(peer.peer()));
  if (known == taken_.end() || known->second.pid == peer.peer().pid) return;
  static constexpr std::string_view kSaid[] = {"spool_fails", "index_fails", "quota_reached", "filter_failing"};
  std::vector<std::pair<std::string, std::string>> over;
  for (const auto& [id, alert] : book_.alerts()) {
    const bool said = std::ranges::find(kSaid, alert.kind) != std::end(kSaid);
    const std::string_view sayer = alert.kind == "filter_failing" ? "smtpd" : "qmgr";
    const bool by_him = alert.kind == "spool_fails" ? alert.subject == known->first : peer.peer().name == sayer;
    if (said && by_him && alert.open()) over.emplace_back(alert.kind, alert.subject);
  }
  for (const auto& [kind, subject] : over) clear(kind, subject);
  if (!over.empty()) persist();
}

void Service::on_gone(ipc::Channel& peer) { peers_.erase(&peer); }

bool Service::on_message(ipc::Channel& from, const ipc::Incoming& message) {
  if (const auto event = message.as<ipc::Event>()) {
    take(from, *event);
  } else if (const auto question = message.as<ipc::Control>()) {
    control(from, *question);
  } else {
    return false;
  }
  return true;
}

void Service::take(ipc::Channel& from, const ipc::Event& event) {
  const std::string sender = sender_text(from.peer());
  Taken& taken = taken_[sender];
  const bool another = taken.pid != from.peer().pid;
  if (another) taken = {.sender = sender, .pid = from.peer().pid, .number = 0};
  if (another) dropped_.erase(sender);
  if (auto& dropped = dropped_[sender]; event.dropped > dropped) {
    base::log().warning(fmt::format("{} had to give up {} events while we were away", sender, event.dropped - dropped));
    dropped = event.dropped;
  }
  if (event.number > taken.number) {
    taken.number = event.number;
    changed_taken_.insert(sender);
    apply(sender, event);
  }
  persist();
  // Behind what was just written, or at once if it was written before.
  const auto confirm = [this, channel = &from, peer = peers_[&from], number = event.number] {
    const auto found = peers_.find(channel);
    if (found != peers_.end() && found->second == peer) channel->send(ipc::EventTaken{number});
  };
  if (store_) store_->write({}, confirm);
  else confirm();
}

void Service::apply(const std::string& sender, const ipc::Event& event) {
  if (event.name == "mail_expires_soon") return look();
  auto effect = effect_of(event, sender);
  if (!effect) return;
  effect->raised ? raise(effect->kind, effect->subject, std::move(effect->cause)) : clear(effect->kind, effect->subject);
}

void Service::destination(const ipc::Destination& told) {
  using mail::DestinationState;
  note_held();
  told_[told.name] = told;
  if (told.state == DestinationState::kDown) raise("destination_down", told.name, told.reason, told.since_ms);
  if (told.state == DestinationState::kUp) clear("destination_down", told.name);
  if (told.state == DestinationState::kPaused) clear("destination_down", told.name, "is paused by the admin");
  clear_drains();
  persist();
}

// That a drain has stopped is an event, and that it goes on, a state: the reason is gone. An event may come late.
void Service::clear_drains() {
  using mail::DestinationState;
  for (const auto& [name, told] : told_) {
    const bool draining = told.state == DestinationState::kDraining || told.state == DestinationState::kUp;
    if (draining && !told.reason.empty()) continue;
    clear("drain_stopped", name, told.state == DestinationState::kDown ? "is down" : "");
  }
}

void Service::note_held() {
  std::vector<std::string> open;
  for (const auto& [id, alert] : book_.alerts()) {
    if (alert.kind == "destination_down" && alert.open()) open.push_back(alert.subject);
  }
  for (const auto& name : open) {
    if (const auto held = lookout_.held(name, wall_ms())) book_.note_held("destination_down", name, *held);
  }
}

void Service::look() {
  const auto now = wall_ms();
  const auto* length = book_.find("queue_long", "");
  for (auto& sight : lookout_.look(now, length != nullptr && length->open())) {
    sight.raised ? raise(sight.kind, sight.subject, std::move(sight.cause), sight.since_ms) : clear(sight.kind, sight.subject);
  }
  clear_drains();
  note_held();
  make_notices(book_.tick(now));
  if (const auto gone = outbox_.expire(now); gone > 0) base::log().warning(fmt::format("{} notices could not be sent in 4 days", gone));
  persist();
  pump();
  look_.start(kLook);
}

void Service::raise(std::string_view kind, const std::string& subject, std::string cause, std::int64_t since_ms) {
  make_notices(book_.raise(kind, subject, std::move(cause), wall_ms(), since_ms));
}

void Service::clear(std::string_view kind, const std::string& subject, std::string ended) {
  make_notices(book_.clear(kind, subject, wall_ms(), std::move(ended)));
}

void Service::make_notices(const AlertBook::Moments& moments) {
  const auto now = wall_ms();
  for (const auto& moment : moments) {
    const Alert* alert = book_.find(moment.alert);
    const bool one = config::find_alert_kind(alert->kind)->subject == "destination";
    const auto* destination = one ? config_->find_destination(alert->subject) : nullptr;
    const Surroundings around{.host = config_->hostname,
                              .held = lookout_.held(one ? alert->subject : "", now),
                              .lifetime_ms = destination != nullptr ? millis(destination->lifetime()) : 0,
                              .repeat_ms = millis(config_->alerts.repeat)};
    auto notice = notice_of(*alert, moment.what, around, now);
    base::log().notice(fmt::format("alert {} {}: {}", alert->id, to_text(moment.what), notice.title));
    outbox_.add(std::move(notice), now);
  }
}

Changes Service::gather_changes() {
  Changes out;
  for (const auto id : book_.take_changed_alerts()) {
    const Alert* alert = book_.find(id);
    alert != nullptr ? out.put(*alert) : out.erase_alert(id);
  }
  for (const auto& what : book_.take_changed_silences()) {
    const auto found = book_.silences().find(what);
    found != book_.silences().end() ? out.put(found->second) : out.erase_silence(what);
  }
  for (const auto& sender : std::exchange(changed_taken_, {})) out.put(taken_[sender]);
  return out;
}

// Written before it is sent, unless it cannot be written.
void Service::persist() {
  Changes changes = gather_changes();
  const auto notices = outbox_.take_changed();
  for (const auto id : notices) {
    const Notice* notice = outbox_.find(id);
    notice != nullptr ? changes.put(*notice) : changes.erase_notice(id);
  }
  if (changes.rows.empty()) return;
  if (store_) {
    store_->write(std::move(changes), [this, notices] {
      outbox_.written(notices);
      pump();
    });
    return;
  }
  outbox_.written(notices);
  loop_.later([this, alive = alive_] {
    if (*alive) pump();
  });
}

void Service::pump() {
  const auto now = wall_ms();
  const bool anyway = store_ && store_->failing();
  for (const auto& road : roads_.all_names()) {
    if (busy_.contains(road)) continue;
    if (const Notice* notice = outbox_.next(road, now, anyway)) send(road, *notice);
  }
  if (const auto next = outbox_.next_due(busy_)) pump_.start(net::Millis(std::clamp<std::int64_t>(*next - now, 1, 60'000)));
}

void Service::send(const std::string& road, const Notice& notice) {
  busy_.insert(road);
  roads_.send(road, notice, [this, road, id = notice.id](const Answer& answer) { sent(road, id, answer); });
}

void Service::sent(const std::string& road, std::uint64_t notice, const Answer& answer) {
  const auto now = wall_ms();
  busy_.erase(road);
  RoadState& state = road_states_[road];
  state.said = answer.said;
  (answer.ok ? state.ok_ms : state.failed_ms) = now;
  if (answer.ok) {
    base::log().notice(fmt::format("notice {} sent by {}: {}", notice, road, answer.said));
    outbox_.sent(notice, road);
    outbox_.hasten(road, now);
  } else {
    base::log().warning(fmt::format("notice {} not sent by {}, will be tried again: {}", notice, road, answer.said));
    outbox_.failed(notice, road, now);
  }
  persist();
  pump();
}

void Service::control(ipc::Channel& from, const ipc::Control& question) {
  if (!from.may_command()) return from.send(ipc::refused_command());
  const auto reply = [this, channel = &from, peer = peers_[&from]](const ipc::ControlReply& answer) {
    const auto found = peers_.find(channel);
    if (found != peers_.end() && found->second == peer) channel->send(answer);
  };
  if (question.command == "alert.test") return test(question.user, reply);
  if (question.command == "report.send") return take_report(question, reply);
  bool changed = false;
  auto listed = roads_.names();
  for (auto& road : roads_.names_for_reports()) {
    if (config_->alerts.report.every != "off" || road_states_.contains(road) || outbox_.waiting(road) > 0) listed.push_back(std::move(road));
  }
  const auto answer = desk_.answer(question, *config_, listed, wall_ms(), changed);
  if (changed) {
    make_notices(book_.tick(wall_ms()));  // what was silenced until now
    persist();
  }
  reply(answer);
}

// Answered when it is on disk; bounded, as whoever owns webd may hand in what he likes. The one of a moment is taken once,
// whoever asks again: webd does, when it was killed before it could note down our answer.
void Service::take_report(const ipc::Control& question, const ControlDesk::Reply& reply) {
  const auto refuse = [&](base::Kind kind, std::string text) { reply({.exit = base::exit_code(kind), .json = {}, .text = std::move(text)}); };
  const auto roads = roads_.names_for_reports();
  if (roads.empty()) return refuse(base::Kind::kConfig, "no report can be sent: alerts.mail.relays, or both alerts.report.to and alerts.mail.to, are not set");
  auto notice = report_notice(question.words, config_->hostname, wall_ms());
  if (!notice) return refuse(notice.error().kind, notice.error().text);
  static constexpr const char* kName = "report";
  const auto number = report_number(question.words);
  const auto told = [reply, count = roads.size()] { reply({.exit = 0, .json = fmt::format(R"({{"queued":{}}})", count), .text = {}}); };
  const auto before = taken_.find(kName);
  if (number == 0 || before == taken_.end() || before->second.number != number) {
    if (!report_pace_.take(base::mono_now())) {
      return refuse(base::Kind::kTemporary, fmt::format("{} reports were handed in within an hour: try again later", ReportPace::kMost));
    }
    base::log().notice(base::printable(fmt::format("report.send by {}: {}", question.user, notice->title)));
    const auto added = outbox_.add_by(roads, std::move(*notice), wall_ms());
    if (outbox_.find(added) == nullptr) return refuse(base::Kind::kTemporary, "too many alerts wait: try again later");
    if (number != 0) {
      taken_[kName] = {.sender = kName, .pid = 0, .number = number};
      changed_taken_.insert(kName);
    }
    persist();
  }
  if (store_) return store_->write({}, told);
  told();
}

// One by each road, all at once; the answer when all have ended.
void Service::test(const std::string& user, ControlDesk::Reply reply) {
  struct Round {
    std::vector<ControlDesk::Test> tests;
    std::size_t left = 0;
  };
  const auto names = roads_.names();
  if (names.empty()) {
    return reply({.exit = base::exit_code(base::Kind::kConfig), .json = {}, .text = "no mail, webhook or command is set under alerts"});
  }
  base::log().notice("alert.test by " + base::printable(user));
  const auto round = std::make_shared<Round>();
  round->left = names.size();
  auto notice = test_notice(config_->hostname, user, wall_ms());
  for (std::size_t i = 0; i < names.size(); ++i) {
    round->tests.push_back({.road = names[i], .ok = false, .said = {}});
    roads_.send(names[i], notice, [this, round, i, reply](const Answer& answer) {
      round->tests[i].ok = answer.ok;
      round->tests[i].said = answer.said;
      RoadState& state = road_states_[round->tests[i].road];
      state.said = answer.said;
      (answer.ok ? state.ok_ms : state.failed_ms) = wall_ms();
      if (answer.ok) outbox_.hasten(round->tests[i].road, wall_ms());
      if (--round->left > 0) return;
      reply(ControlDesk::tested(round->tests));
      pump();
    });
  }
}

}  // namespace holdfast::alertd
