#include "smtpd/client_limits.h"

#include <utility>

#include "common/stats/counters.h"

namespace holdfast::smtpd {
namespace {

constexpr base::Millis kMinute{60'000}, kHour{3'600'000};
constexpr char kHere = 'h', kConnections = 'c', kMessages = 'm', kRecipients = 'r',
               kKeptOf = 'k', kKeptFor = 'K';

// A home or a host has a /64 of IPv6: its addresses cost nothing.
constexpr int kBitsOfV4 = 32, kBitsOfV6 = 64;

}  // namespace

ClientLimits::Place& ClientLimits::Place::operator=(Place&& other) noexcept {
  if (this == &other) return *this;
  leave();
  network_ = other.network_;
  trusted_ = other.trusted_;
  slot_ = std::exchange(other.slot_, nullptr);
  return *this;
}

void ClientLimits::Place::leave() {
  if (slot_ != nullptr) Tally::leave(std::exchange(slot_, nullptr));
}

ClientLimits::ClientLimits(const daemon::Board& board, std::uint32_t worker, std::uint32_t workers,
                           const config::Config& config)
    : rules_(config.clients), tally_(board, worker, workers), gauges_(board.gauges(worker)) {}

bool ClientLimits::over(char kind, std::uint64_t most, const Place& place, base::Mono now) {
  if (most == 0 || place.trusted_) return false;
  const auto key = tally_.key(kind, place.network_);
  tally_.count(key, kMinute, now);
  return tally_.within(key, kMinute, now) > most;
}

std::optional<mail::Reply> ClientLimits::enter(const base::IpAddress& client, base::Mono now, Place& place) {
  place.leave();
  place.trusted_ = base::contains(rules_.trusted, client);
  place.network_ = base::Network::around(client, kBitsOfV4, kBitsOfV6);
  if (place.trusted_) return std::nullopt;
  std::uint64_t here = 0;
  if (rules_.connections > 0) {
    const auto key = tally_.key(kHere, place.network_);
    place.slot_ = tally_.enter(key, now);
    here = tally_.present(key);
  }
  const bool too_many = here > rules_.connections && rules_.connections > 0;
  const bool too_often = over(kConnections, rules_.connection_rate, place, now);
  if (!too_many && !too_often) return std::nullopt;
  daemon::add(gauges_.refused_connections, std::uint64_t{1});
  stats::count(stats::Counter::kLimitedConnections);
  return mail::Reply::make(421, "4.7.0",
                           too_many ? "Too many connections from your network, try again later"
                                    : "Your network connects too often, try again later");
}

std::optional<mail::Reply> ClientLimits::message(const Place& place, base::Mono now) {
  if (!over(kMessages, rules_.message_rate, place, now)) return std::nullopt;
  daemon::add(gauges_.refused_messages, std::uint64_t{1});
  stats::count(stats::Counter::kLimitedMessages);
  return mail::Reply::make(450, "4.7.1", "Too many messages from your network, try again later");
}

std::optional<mail::Reply> ClientLimits::recipient(const Place& place, base::Mono now) {
  if (!over(kRecipients, rules_.recipient_rate, place, now)) return std::nullopt;
  daemon::add(gauges_.refused_recipients, std::uint64_t{1});
  stats::count(stats::Counter::kLimitedRecipients);
  return mail::Reply::make(450, "4.7.1", "Too many recipients from your network, try again later");
}

// Only what is kept counts: who is over his own limit does not use up a recipient's.
std::optional<mail::Reply> ClientLimits::keep(const Place& place, std::string_view recipient, bool more, base::Mono now) {
  const bool of_client = rules_.kept_of_client > 0 && !place.trusted_ && !more;
  const auto client = of_client ? tally_.key(kKeptOf, place.network_) : Tally::Key{0};
  const auto target = rules_.kept_for_recipient > 0 ? tally_.key(kKeptFor, recipient) : Tally::Key{0};
  std::optional<mail::Reply> refusal;
  if (client != 0 && tally_.within(client, kHour, now) >= rules_.kept_of_client) {
    refusal = mail::Reply::make(451, "4.7.1", "Too much mail from your network is waiting, try again later");
  } else if (target != 0 && tally_.within(target, kHour, now) >= rules_.kept_for_recipient) {
    refusal = mail::Reply::make(452, "4.3.1", "Too much mail for this recipient is waiting, try again later");
  }
  if (refusal) {
    daemon::add(gauges_.refused_kept, std::uint64_t{1});
    stats::count(stats::Counter::kLimitedKept);
    return refusal;
  }
  if (client != 0) tally_.count(client, kHour, now);
  if (target != 0) tally_.count(target, kHour, now);
  return std::nullopt;
}

}  // namespace holdfast::smtpd
