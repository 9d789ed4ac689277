// What a client's network may do: connections at a time, connections, messages and recipients a minute, and mail
// kept for it (decision 11). Trusted networks are not counted. Time is passed in; nothing here blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/config/config.h"
#include "common/daemon/board.h"
#include "common/mail/reply.h"
#include "smtpd/tally.h"

namespace holdfast::smtpd {

class ClientLimits {
 public:
  // The board outlives it; `worker` of it becomes empty.
  ClientLimits(const daemon::Board& board, std::uint32_t worker, std::uint32_t workers, const config::Config& config);
  void reload(const config::Config& config) { rules_ = config.clients; }

  // A client among those of its network, from enter() until it is destroyed or leaves.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept : network_(other.network_), trusted_(other.trusted_), slot_(other.slot_) { other.slot_ = nullptr; }
    Place& operator=(Place&& other) noexcept;
    ~Place() { leave(); }
    void leave();
    bool trusted() const { return trusted_; }

   private:
    friend class ClientLimits;
    base::Network network_{};
    bool trusted_ = false;
    Tally::Slot* slot_ = nullptr;
  };

  // Who it is. It counts as here, also while it is told why it must go: the answer, if a limit is reached.
  std::optional<mail::Reply> enter(const base::IpAddress& client, base::Mono now, Place& place);
  // It begins a message, names a recipient: nothing, or the refusal.
  std::optional<mail::Reply> message(const Place& place, base::Mono now);
  std::optional<mail::Reply> recipient(const Place& place, base::Mono now);

  // A message for this recipient (mail::recipient_key()) is to be kept; `more` if one for another recipient of it is
  // already, so that it does not count twice for the client.
  std::optional<mail::Reply> keep(const Place& place, std::string_view recipient, bool more, base::Mono now);

  // This worker's, for whoever counts something else of clients.
  daemon::Gauges& gauges() { return gauges_; }

 private:
  bool over(char kind, std::uint64_t most, const Place& place, base::Mono now);

  config::Clients rules_;
  Tally tally_;
  daemon::Gauges& gauges_;
};

}  // namespace holdfast::smtpd
