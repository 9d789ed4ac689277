#include "alertd/lookout.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/config/security.h"
#include "common/net/tls.h"
#include "common/storage/space.h"

namespace holdfast::alertd {
namespace {

constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kCertificatesEvery = 10 * 60'000;
constexpr std::size_t kOldest = 20;           // held ones among them do not expire
constexpr std::uint64_t kEnoughMail = 20;     // accepted recipients of a week that say something

std::string spell(std::int64_t ms) { return base::spell(base::Seconds(std::max<std::int64_t>(0, ms) / 1000)); }

std::int64_t millis(base::Seconds d) { return std::chrono::duration_cast<base::Millis>(d).count(); }

}  // namespace

Sight sight_of_length(std::uint64_t messages, std::uint64_t bound, bool was_raised) {
  Sight out{.kind = "queue_long", .subject = {}, .raised = false, .cause = {}, .since_ms = 0};
  if (bound == 0) return out;
  out.raised = messages > (was_raised ? bound - bound / 4 : bound);
  if (out.raised) out.cause = fmt::format("{} messages are queued; alerts.queue_messages is {}", messages, bound);
  return out;
}

Sight sight_of_age(std::optional<std::int64_t> oldest_ms, std::int64_t bound_ms, std::int64_t now_ms) {
  Sight out{.kind = "queue_old", .subject = {}, .raised = false, .cause = {}, .since_ms = 0};
  if (bound_ms == 0 || !oldest_ms || now_ms - *oldest_ms <= bound_ms) return out;
  out.raised = true;
  out.cause = fmt::format("the oldest message came at {}; alerts.queue_age is {}", base::rfc5322_date(base::from_millis(*oldest_ms)),
                          spell(bound_ms));
  return out;
}

Sight sight_of_expiry(const std::string& destination, std::int64_t arrival_ms, std::int64_t expires_ms, std::int64_t now_ms) {
  Sight out{.kind = "mail_expires_soon", .subject = destination, .raised = false, .cause = {}, .since_ms = 0};
  if (expires_ms == 0) return out;
  out.raised = expires_ms - now_ms <= std::min(kDay, (expires_ms - arrival_ms) / 2);
  if (out.raised) {
    out.cause = fmt::format("a message of {} expires at {}", base::rfc5322_date(base::from_millis(arrival_ms)),
                            base::rfc5322_date(base::from_millis(expires_ms)));
  }
  return out;
}

Sight sight_of_coverage(const std::string& domain, const std::optional<storage::DomainRow>& row, std::int64_t now_ms) {
  Sight out{.kind = "domain_uncovered", .subject = domain, .raised = false, .cause = {}, .since_ms = 0};
  if (!row || storage::coverage_percent(*row, now_ms) != 0) return out;
  std::uint64_t accepted = 0;
  for (const auto& day : row->coverage) accepted += day.accepted;
  out.raised = accepted >= kEnoughMail;
  if (out.raised) {
    out.cause = row->catch_all == storage::CatchAll::kYes ? "its server accepts any recipient (catch-all)"
                                                          : fmt::format("none of {} accepted recipients was known", accepted);
  }
  return out;
}

Sight sight_of_certificate(const std::string& file, std::int64_t end_ms, std::int64_t bound_ms, std::int64_t now_ms) {
  Sight out{.kind = "certificate_expires", .subject = file, .raised = false, .cause = {}, .since_ms = 0};
  out.raised = bound_ms > 0 && end_ms - now_ms <= bound_ms;
  if (out.raised) {
    out.cause = fmt::format("it {} at {}", end_ms <= now_ms ? "ended" : "ends", base::rfc5322_date(base::from_millis(end_ms)));
  }
  return out;
}

Lookout::Lookout(config::ConfigPtr config) : config_(std::move(config)), mark_(config_->paths.state + "/alerts/reading") {
  directory_ = std::make_unique<storage::DirectoryReader>(config_->paths.state);
  if (!mark_.found()) return;
  afraid_until_ms_ = base::to_millis(base::wall_now()) + millis(kAfraid);
  base::log().warning(fmt::format("the alertd before this one ended while it read the queue's index: it is left alone for {}",
                                  base::spell(kAfraid)));
}

Lookout::~Lookout() = default;

void Lookout::configure(config::ConfigPtr config) {
  config_ = std::move(config);
  certificates_seen_ms_ = 0;
}

bool Lookout::read_index(std::int64_t now_ms, const Questions& questions) {
  if (now_ms < afraid_until_ms_) return false;
  const storage::ReadingMark::Hold hold(mark_);
  return index_.read(config_->paths.spool, config_->index_map_size, questions).has_value();  // or not made yet, or of another version
}

Lookout::First Lookout::first_to_expire(const storage::QueueIndex& index, const storage::Txn& txn, const std::string& destination,
                                        std::int64_t now_ms) {
  First first;
  std::size_t looked = 0;
  index.by_age(txn, destination, {}, [&](storage::QueueIndex::Place place, const storage::Waiting& waiting) {
    const auto row = waiting.state == storage::MessageState::kDeferred ? index.message(txn, place.id) : std::nullopt;
    const bool expires = row && row->expires_ms > now_ms;
    if (expires && (first.expires_ms == 0 || row->expires_ms < first.expires_ms)) first = {row->arrival_ms, row->expires_ms};
    return ++looked < kOldest;
  });
  return first;
}

std::optional<Held> Lookout::held(const std::string& destination, std::int64_t now_ms) {
  Held out;
  const bool read = read_index(now_ms, [&](const storage::QueueIndex& index, const storage::Txn& txn) {
    const auto counter = index.counter(txn, destination);
    out.messages = counter.messages();
    out.bytes = counter.bytes;
    if (destination.empty()) {
      out.oldest_ms = index.oldest_arrival_ms(txn).value_or(0);
      return;
    }
    index.by_age(txn, destination, {}, [&](storage::QueueIndex::Place place, const storage::Waiting&) {
      out.oldest_ms = place.time_ms;
      return false;
    });
    out.expires_ms = first_to_expire(index, txn, destination, now_ms).expires_ms;
  });
  if (read) return out;
  // Nothing was ever kept here.
  return storage::IndexReader::exists(config_->paths.spool) ? std::nullopt : std::optional(Held{});
}

void Lookout::look_at_queue(std::int64_t now_ms, bool was_long, std::vector<Sight>& out) {
  read_index(now_ms, [&](const storage::QueueIndex& index, const storage::Txn& txn) {
    out.push_back(sight_of_length(index.counter(txn, "").messages(), config_->alerts.queue_messages, was_long));
    out.push_back(sight_of_age(index.oldest_arrival_ms(txn), millis(config_->alerts.queue_age), now_ms));
    for (const auto& [name, destination] : config_->destinations) {
      const bool any = index.counter(txn, name).deferred > 0;
      const First first = any ? first_to_expire(index, txn, name, now_ms) : First{};
      out.push_back(sight_of_expiry(name, first.arrival_ms, first.expires_ms, now_ms));
    }
  });
}

void Lookout::look_at_domains(std::int64_t now_ms, std::vector<Sight>& out) {
  (void)directory_->read([&](const storage::Directory& directory, const storage::Txn& txn) {
    for (const auto& [name, domain] : config_->domains) out.push_back(sight_of_coverage(name, directory.domain(txn, name), now_ms));
  });
}

void Lookout::look_at_disk(std::vector<Sight>& out) const {
  const auto space = storage::read_space(config_->paths.spool);
  if (!space) return;
  const storage::Reserve reserve{.percent = config_->reserve.percent, .bytes = config_->reserve.bytes};
  const bool full = !storage::accepts(*space, reserve);
  out.push_back({.kind = "spool_reserve", .subject = {}, .raised = full,
                 .cause = full ? fmt::format("{} MiB and {} inodes are free", space->free_bytes >> 20, space->free_inodes) : "",
                 .since_ms = 0});
}

void Lookout::look_at_certificates(std::int64_t now_ms, std::vector<Sight>& out) {
  if (now_ms - certificates_seen_ms_ < kCertificatesEvery && now_ms >= certificates_seen_ms_) return;
  certificates_seen_ms_ = now_ms;
  for (const auto& file : config::certificate_files(*config_)) {
    const auto end = net::certificate_end(file);
    if (end) out.push_back(sight_of_certificate(file, base::to_millis(*end), millis(config_->alerts.certificate), now_ms));
  }
}

std::vector<Sight> Lookout::look(std::int64_t now_ms, bool was_long) {
  std::vector<Sight> out;
  look_at_queue(now_ms, was_long, out);
  look_at_domains(now_ms, out);
  look_at_disk(out);
  look_at_certificates(now_ms, out);
  return out;
}

}  // namespace holdfast::alertd
