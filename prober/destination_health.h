// The state of a destination (design.md sections 1 and 3): what its servers' health, the drain and the
// admin make of it together. Pure: no clock, no I/O.
//
//   up        -> down      every address of every server failed, or refuses its known recipients
//   down      -> draining  a server is up again: a probe passed (bare connects never count)
//   draining  -> up        qmgr: nothing is due any more
//   draining  -> down      as up; or qmgr: three different canaries failed. Then a probe that passes
//                          counts again only when an interval has gone by.
//   any       -> up, down  the admin forces it; when that ends the servers decide again
//   any       -> paused    the admin; it ends by resume or at its time: draining, or down
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/ipc/messages.h"
#include "common/mail/destination_state.h"
#include "prober/now.h"
#include "prober/server_health.h"

namespace holdfast::prober {

using mail::DestinationState;

struct StateChange {
  DestinationState from, to;
  int after = 0;  // failures in a row that led to it
  std::string reason;
};

class DestinationHealth {
 public:
  struct Settings {
    std::vector<std::string> servers;  // in order of preference
    Rules rules;
    base::Millis interval{120'000};
  };
  DestinationHealth(Settings settings, Now now);

  // What the directory remembers: call before anything is recorded.
  struct Memory {
    DestinationState state = DestinationState::kUp;
    std::string reason;
    base::Wall since;
    std::string paused_by;
    std::optional<base::Wall> paused_until;
    base::Millis downtime{0};
    std::optional<base::Wall> down_since;
    struct Server {
      std::string name;
      bool up = true;
      std::string reason;
      base::Wall since;
    };
    std::vector<Server> servers;
  };
  void restore(const Memory& memory, Now now);
  Memory memory() const;
  // Servers that stay keep what is known of them.
  void configure(const Settings& settings, Now now);

  // Evidence. None of these changes the destination's state by itself: call decide() afterwards.
  void set_addresses(std::string_view server, const std::vector<std::string>& addresses, Now now);
  void record_probe(std::string_view server, std::string_view address, const Evidence& evidence, Now now);
  void record_unresolved(std::string_view server, const std::string& reason, Now now);
  void set_refuses_known(std::string_view server, bool refuses, Now now);
  // A live session's report. True: look for yourself now (ProbeSchedule::hasten).
  bool record_fact(const ipc::Fact& fact, Now now);
  // False: it speaks of a state that is over. The queue may put its brake on while we are up, too.
  bool record_drain(const ipc::DrainReport& report, Now now);
  // `until`: it ends by itself then. A pause of a paused one replaces it.
  void pause(std::string reason, std::string by, std::optional<base::Wall> until);
  void resume();
  // The admin knows better than the probes, until unforce(): up although they fail, or down although they pass. A pause
  // goes before it. It is remembered by the reason, "forced down by root", with which no other begins.
  void force(bool up, std::string_view by);
  void unforce();
  // The admin wants it tried at once: a drain that failed holds it back no more when a probe passes.
  void forgive_drain();

  // The one door into a state: what has changed, if anything. A new reason alone (the brake, a drain
  // that goes on) is told by `reason_changed`.
  struct Decision {
    std::optional<StateChange> change;
    bool reason_changed = false;
  };
  Decision decide(Now now);

  DestinationState state() const { return state_; }
  const std::string& reason() const { return reason_; }
  base::Wall since() const { return since_; }
  std::optional<base::Wall> paused_until() const { return pause_ ? pause_->until : std::nullopt; }
  // All time the destination was down or paused, up to `now`.
  base::Millis downtime(base::Wall now) const;
  const std::vector<ServerHealth>& servers() const { return servers_; }
  const ServerHealth* server(std::string_view name) const;
  // The first server that is up: the one to ask about recipients.
  const ServerHealth* first_up() const;

 private:
  struct Target {
    DestinationState state;
    std::string reason;
  };
  ServerHealth* find(std::string_view name);
  Target target() const;
  std::string servers_reason() const;
  void end_drain_failure();
  void enter(DestinationState state, Now now);

  struct Pause {
    std::string reason, by;
    std::optional<base::Wall> until;
  };
  struct Force {
    bool up;
    std::string reason;
  };
  struct DrainFailure {
    std::string reason;
    base::Mono at;
    bool held;  // an interval has to go by before a probe that passes counts
  };

  Settings settings_;
  std::vector<ServerHealth> servers_;
  DestinationState state_ = DestinationState::kUp;
  std::string reason_;
  base::Wall since_;
  std::optional<Pause> pause_;
  std::optional<Force> force_;
  std::optional<DrainFailure> drain_failed_;
  std::string brake_;    // why a drain goes slowly, or why the last one failed
  std::string trouble_;  // the last live failure in this drain; empty after a success
  bool drained_ = false;
  base::Millis downtime_{0};  // of outages that are over
  std::optional<base::Wall> down_since_;
};

// Whether a failed live session counts as a failure of the server: what a probe would have failed on
// too. Anything else (421, a reused connection, 4xx at MAIL, all after MAIL) only makes us look.
bool counts_as_failure(const ipc::Fact& fact);

}  // namespace holdfast::prober
