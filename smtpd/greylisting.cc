#include "smtpd/greylisting.h"

#include <utility>

#include <fmt/format.h>

#include "common/base/log.h"
#include "common/mail/address.h"
#include "common/stats/counters.h"

namespace holdfast::smtpd {
namespace {

constexpr base::Seconds kTryAgain{10};
constexpr base::Millis kInterval{500};   // between two commits
constexpr std::size_t kMostPending = 50'000;

std::uint32_t seconds_of(base::Wall wall) { return static_cast<std::uint32_t>(base::to_millis(wall) / 1000); }

storage::GreyRules rules_of(const config::Greylist& c) {
  return {.delay_s = static_cast<std::uint32_t>(c.delay.count()),
          .window_s = static_cast<std::uint32_t>(c.window.count()),
          .lifetime_s = static_cast<std::uint32_t>(c.lifetime.count()),
          .auto_allow = static_cast<std::uint32_t>(c.auto_allow),
          .max_entries = c.max_entries};
}

// Of one that is made for one message (SRS, BATV) only the domain stays the same.
std::string sender_key(std::string_view sender) {
  const auto address = mail::parse_address(sender, true);
  if (address && mail::is_one_time_address(*address)) return policy::list_key("@" + address->domain);
  return policy::list_key(sender);
}

}  // namespace

Greylisting::Greylisting(const config::Config& config) : state_folder_(config.paths.state), rules_(rules_of(config.greylist)) {}

Greylisting::~Greylisting() = default;

void Greylisting::reload(const config::Config& config) { rules_ = rules_of(config.greylist); }

void Greylisting::note(const std::string& problem) {
  if (!std::exchange(noted_, true)) base::log().warning("greylisting: everybody passes: " + problem);
}

bool Greylisting::ready(base::Mono now) {
  if (list_) return true;
  if (now < next_try_) return false;
  next_try_ = now + kTryAgain;
  auto opened = storage::Greylist::open(state_folder_);
  if (!opened) return note(opened.error().text), false;
  list_ = std::move(*opened);
  txn_ = std::make_unique<storage::ReadTxn>(list_->env());
  writer_ = std::make_unique<storage::BatchWriter>(
      list_->env(), storage::BatchWriter::Options{.interval = kInterval},
      storage::BatchWriter::Hooks{.committed = [](const std::vector<storage::BatchWriter::Done>&) {},
                                  .health = [this](const std::optional<base::Error>& error) {
                                    failing_ = error.has_value();
                                    if (error) base::log().warning("greylisting: everybody passes: " + error->text);
                                    if (!error) base::log().notice("greylisting: its database can be written again");
                                  }});
  if (std::exchange(noted_, false)) base::log().notice("greylisting: its database is open again");
  return true;
}

std::optional<storage::GreyJudgement> Greylisting::look(const std::string& triplet, const std::string& network,
                                                        const base::Network& client, std::uint32_t now_s) {
  const storage::ReadTxn::View view(*txn_);
  if (!view) {
    list_->env().clear_stale_readers();
    note(view.error().text);
    return std::nullopt;
  }
  noted_ = false;
  return judge_grey(list_->find(*txn_, triplet), list_->find(*txn_, network), client, now_s, rules_);
}

std::optional<mail::Reply> Greylisting::judge(const policy::Visit& visit, base::Mono now, base::Wall wall) {
  const std::uint32_t now_s = seconds_of(wall);
  const base::Network client = storage::grey_network(visit.client);
  std::optional<storage::GreyJudgement> judged;
  std::string triplet, network;
  if (ready(now) && !failing_ && writer_->pending() < kMostPending) {
    const std::string recipient = visit.recipient_key.empty() ? policy::list_key(visit.recipient) : std::string(visit.recipient_key);
    triplet = list_->triplet_key(client, sender_key(visit.sender), recipient);
    network = list_->network_key(client);
    judged = look(triplet, network, client, now_s);
  }
  if (!judged) {
    stats::count(stats::Counter::kGreylistFailed);
    return std::nullopt;
  }
  if (judged->triplet || judged->network) write(std::move(triplet), std::move(network), *judged, now_s);
  switch (judged->word) {
    case storage::GreyWord::kPassed: stats::count(stats::Counter::kGreylistPassed); return std::nullopt;
    case storage::GreyWord::kKnown: stats::count(stats::Counter::kGreylistKnown); return std::nullopt;
    case storage::GreyWord::kPutOff: break;
  }
  stats::count(stats::Counter::kGreylistPutOff);
  return mail::Reply::make(450, "4.7.1", fmt::format("<{}>: Recipient address rejected: Greylisted, try again later", visit.recipient));
}

void Greylisting::write(std::string triplet, std::string network, const storage::GreyJudgement& judged, std::uint32_t now_s) {
  writer_->submit([list = list_.get(), triplet = std::move(triplet), network = std::move(network), judged, now_s,
                   most = rules_.max_entries](storage::WriteTxn& txn) {
    return list->note(txn, triplet, network, judged, now_s, most);
  });
}

}  // namespace holdfast::smtpd
