#include "smtpd/address_book.h"

#include "common/destination/pool_options.h"

namespace holdfast::smtpd {
namespace {

constexpr std::int64_t kRefreshAfterMs = 3600 * 1000;

}  // namespace

AddressBook::AddressBook(config::ConfigPtr config)
    : config_(std::move(config)), directory_(config_->paths.state) {}

mail::DestinationState AddressBook::state(const config::Destination& destination, base::Wall now) {
  const auto row = directory_.destination(destination.name);
  if (!row) return mail::DestinationState::kUp;
  const std::int64_t interval_ms = std::chrono::duration_cast<base::Millis>(destination.probe.interval).count();
  return storage::effective_state(*row, base::to_millis(now), interval_ms);
}

bool AddressBook::usable(std::string_view destination, const upstream::ServerName& server, base::Wall now) {
  const auto* settings = config_->find_destination(destination);
  return settings == nullptr || destination::usable(directory_.destination(destination), *settings, server, now);
}

std::optional<mail::Capabilities> AddressBook::last_seen(const config::Destination& destination) {
  const auto row = directory_.destination(destination.name);
  if (!row || !row->capabilities.esmtp) return std::nullopt;
  return row->capabilities;
}

RecipientView AddressBook::recipient(const mail::Address& address, const config::Domain& domain, base::Wall now) {
  RecipientView view{.key = mail::recipient_key(address, config_->recipient_delimiter)};
  const std::int64_t now_ms = base::to_millis(now);
  const storage::KeepRule rule{
      .keep_ms = std::chrono::duration_cast<base::Millis>(config_->recipient_cache.keep).count(),
      .count_downtime = config_->recipient_cache.count_downtime};
  const auto row = directory_.recipient(view.key);
  const auto domain_row = directory_.domain(domain.name);
  const bool catch_all = domain_row && domain_row->catch_all == storage::CatchAll::kYes &&
                         domain_row->destination == domain.destination;
  if (domain_row) view.filtering = domain_row->filtering.at(now_ms);
  const bool local = config_->is_local_recipient(view.key);
  if (row) view.standing = directory_.standing(view.key, domain.name, domain.destination, now_ms, rule);
  if (local && view.standing != storage::Standing::kDenied) view.standing = storage::Standing::kKnown;
  const bool by_admin = row && row->source != storage::RecipientSource::kLearnt;
  view.learnt = view.standing == storage::Standing::kKnown && !local && !by_admin;
  view.keepable = local || by_admin || !catch_all;
  const bool fresh = row && now_ms - row->verified_ms < kRefreshAfterMs && row->destination == domain.destination;
  view.refresh = !local && !by_admin && !catch_all && !fresh && !mail::is_one_time_address(address) &&
                 view.key.size() <= storage::kMaxRecipientKey;
  return view;
}

}  // namespace holdfast::smtpd
