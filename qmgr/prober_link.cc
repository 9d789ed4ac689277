#include "qmgr/prober_link.h"

#include "common/base/text.h"
#include "common/mail/address.h"

namespace holdfast::qmgr {
namespace {

constexpr base::Millis kLookAgain{2'000};

}  // namespace

ProberLink::ProberLink(net::Loop& loop, const std::string& socket, ipc::Hello self, config::ConfigPtr config,
                       Hooks hooks)
    : loop_(loop),
      config_(std::move(config)),
      hooks_(std::move(hooks)),
      directory_(config_->paths.state),
      client_(loop, socket, std::move(self), *this),
      poll_(loop_, [this] { read_directory(); }) {}

void ProberLink::start() {
  read_directory();
  poll_.every(kLookAgain);
  client_.start();
}

void ProberLink::configure(config::ConfigPtr config) {
  config_ = std::move(config);
  if (client_.channel() == nullptr) read_directory();
}

void ProberLink::read_directory() {
  const auto now_ms = base::to_millis(base::wall_now());
  for (const auto& [name, destination] : config_->destinations) {
    ipc::Destination told{.name = name, .state = mail::DestinationState::kUp, .reason = {}, .since_ms = 0};
    if (const auto row = directory_.destination(name)) {
      const auto interval_ms = destination.probe.interval.count() * 1000;
      told.state = storage::effective_state(*row, now_ms, interval_ms);
      told.reason = row->reason;
      told.since_ms = row->since_ms;
    }
    hooks_.state(told);
  }
}

void ProberLink::on_peer(ipc::Channel&) {
  poll_.stop();
  hooks_.connected();
}

bool ProberLink::on_message(ipc::Channel&, const ipc::Incoming& message) {
  const auto told = message.as<ipc::Destination>();
  if (!told) return false;
  hooks_.state(*told);
  return true;
}

void ProberLink::on_gone(ipc::Channel&) { poll_.every(kLookAgain); }

bool ProberLink::still_known(std::string_view address, std::string_view destination) {
  const auto parsed = mail::parse_address(address);
  if (!parsed) return false;
  const std::string key = mail::recipient_key(*parsed, config_->recipient_delimiter);
  if (config_->is_local_recipient(key)) return true;
  const std::string domain = base::to_lower(parsed->domain);
  const storage::KeepRule rule{.keep_ms = config_->recipient_cache.keep.count() * 1000,
                               .count_downtime = config_->recipient_cache.count_downtime};
  const auto now_ms = base::to_millis(base::wall_now());
  if (directory_.standing(key, domain, destination, now_ms, rule) == storage::Standing::kKnown) return true;
  bool nobody = true;
  (void)directory_.read([&](const storage::Directory& directory, const storage::Txn& txn) {
    nobody = directory.learnt_count(txn, domain) == 0;
  });
  return nobody;
}

}  // namespace holdfast::qmgr
