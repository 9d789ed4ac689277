// smtpd's line to the prober: facts about servers, recipients learnt, refusals of known ones. Nothing
// here waits for the prober; with it dead the learnt are dropped at a bound, which costs a later 451 and
// never mail (design.md section 3, The directory).
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "common/ipc/channel.h"
#include "common/net/loop.h"
#include "common/upstream/pool.h"

namespace holdfast::smtpd {

class ProberLink final : private ipc::ChannelHandler {
 public:
  ProberLink(net::Loop& loop, const std::string& socket, ipc::Hello self);

  void observed(const std::string& destination, const upstream::Observation& seen);
  // The destination accepted this recipient. `refresh`: to be (re)learnt; else it counts for coverage only.
  void learn(const std::string& key, const std::string& destination, bool refresh);
  void refused_known(const ipc::RefusedKnown& refusal);
  // Mail came for a destination that is down: at most one such word a second and destination is sent.
  void probe_now(const std::string& destination);
  std::size_t unsent() { return client_.channel() != nullptr ? client_.channel()->unsent() : 0; }

 private:
  bool on_message(ipc::Channel& from, const ipc::Incoming& message) override;
  void send_batch();
  template <class M>
  void send(const M& message);

  static constexpr std::size_t kMostWaiting = 10000;

  ipc::Client client_;
  net::Timer batch_timer_;
  std::map<std::pair<std::string, std::string>, ipc::LearntRecipient> learnt_;  // by key and destination
  std::set<std::string> asked_;                                                 // probe_now() of this second
};

}  // namespace holdfast::smtpd
