#include "smtpd/prober_link.h"

#include "common/destination/fact.h"

namespace holdfast::smtpd {
namespace {

constexpr net::Millis kBatchInterval{1000};
// To a prober that lives but does not read: what is more is dropped, as with a dead one.
constexpr std::size_t kMostUnread = 4 << 20;

}  // namespace

ProberLink::ProberLink(net::Loop& loop, const std::string& socket, ipc::Hello self)
    : client_(loop, socket, std::move(self), *this), batch_timer_(loop, [this] { send_batch(); }) {
  client_.start();
}

template <class M>
void ProberLink::send(const M& message) {
  if (client_.channel() != nullptr && client_.channel()->unsent() < kMostUnread) client_.send(message);
}

void ProberLink::refused_known(const ipc::RefusedKnown& refusal) { send(refusal); }

void ProberLink::observed(const std::string& destination, const upstream::Observation& seen) {
  send(destination::fact_of(destination, seen));
}

void ProberLink::learn(const std::string& key, const std::string& destination, bool refresh) {
  const auto id = std::pair(key, destination);
  const auto at = learnt_.find(id);
  if (at != learnt_.end()) {
    ++at->second.count;
    at->second.refresh |= refresh;
  } else if (learnt_.size() < kMostWaiting) {
    learnt_.emplace(id, ipc::LearntRecipient{.key = key, .destination = destination, .refresh = refresh});
  }
  if (!batch_timer_.waiting()) batch_timer_.start(kBatchInterval);
}

void ProberLink::probe_now(const std::string& destination) {
  if (!asked_.insert(destination).second) return;
  send(ipc::ProbeNow{destination});
  if (!batch_timer_.waiting()) batch_timer_.start(kBatchInterval);
}

void ProberLink::send_batch() {
  asked_.clear();
  if (learnt_.empty()) return;
  ipc::Learn batch;
  for (auto& [id, recipient] : learnt_) batch.recipients.push_back(std::move(recipient));
  learnt_.clear();
  send(batch);
}

// States are read from the directory when they are needed: the prober's pushes are for others.
bool ProberLink::on_message(ipc::Channel&, const ipc::Incoming& message) {
  return message.type == ipc::Destination::kType;
}

}  // namespace holdfast::smtpd
