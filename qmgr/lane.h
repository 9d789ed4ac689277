// The queue of one destination: how many of its messages go out at a time, which is next, and what their
// outcomes say about the destination. This is design.md section 3, Recovery and While down, as a state
// machine without I/O: time comes in, and what should happen comes out.
//
//   kStopped   nothing goes out: the destination is down or paused
//   kCanary    one message at a time, until one has gone well
//   kFlowing   5 at a time, doubling to the limit (half of max_connections while draining, a quarter in up)
//   kBraked    the destination refuses what it should not: one canary an interval, nobody is refused for good
//
// A 5xx to a recipient or at MAIL, and a connection that was lost, are not believed at once: the message
// waits as a suspect. When another is accepted after it, or when nothing else is left to try, it is the
// message's own affair and counts; when three different known recipients (or senders) are refused in a row,
// it is the destination's fault, and all suspects go back to the queue as they were. Three losses in a row
// count for nothing either: they make the lane wait.
//
// Canaries differ if their refused recipients (or senders) do: three messages to one person who has left do
// not make a broken server. Where there are fewer than three to compare, what has failed for thirty probe
// intervals is believed (an hour by default; docs/decisions/0006): by then prober, which asks by itself, has found
// the server broken, or the recipient gone, or neither.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/time.h"
#include "common/ipc/messages.h"
#include "common/mail/destination_state.h"
#include "common/mail/queue_id.h"
#include "qmgr/assessment.h"

namespace holdfast::qmgr {

struct Candidate {
  std::int64_t arrival_ms = 0;
  mail::QueueId id;
  std::uint64_t size = 0;
};

// How an outcome is to be applied to its message.
enum class Treatment : std::uint8_t {
  kAsIs,       // sent, deferred, refused: as the replies say
  kSpare,      // as above, but a 5xx only defers and a loss is not counted: it is the destination's fault
  kUntouched,  // no attempt was made as far as the message is concerned
};
struct Settled {
  mail::QueueId id;
  Treatment how = Treatment::kAsIs;
  bool operator==(const Settled&) const = default;
};

class Lane {
 public:
  struct Limits {
    int max_connections = 20;
    base::Millis probe_interval{120'000};
    // False for the road of bounces: many destinations in one, about which an outcome says nothing. It is up,
    // each outcome is its message's own affair, and all connections are the lane's.
    bool judged = true;
  };
  enum class Phase : std::uint8_t { kStopped, kCanary, kFlowing, kBraked };
  static std::string_view to_text(Phase phase);
  struct Pick {
    Candidate message;
    bool canary = false;
  };
  struct Event {
    ipc::DrainEvent event;
    std::string reason;
  };

  explicit Lane(Limits limits) : limits_(limits) {}
  void set_limits(Limits limits) { limits_ = limits; }

  // A state that is told again changes nothing. The suspects of the former state go back to the queue.
  std::vector<Settled> set_state(mail::DestinationState state, std::int64_t since_ms);
  mail::DestinationState state() const { return state_; }
  std::int64_t since_ms() const { return since_ms_; }
  Phase phase() const { return phase_; }

  // --- The window of what is due. The caller loads it from the index, in order of age. ---
  bool wants_refill() const;
  // Appends; `more`: the index has others that are due. Nothing in it is in the window or handed out.
  void refill(std::vector<Candidate> candidates, bool more);
  // Something may have become due: look at the index again.
  void touch() { exhausted_ = false; }
  void drop_window();
  bool in_window(mail::QueueId id) const;

  // --- Handing out ---
  std::optional<Pick> next(base::Mono now);
  // A message that was picked but not handed out, or whose deliver died: no word about the destination.
  void give_back(mail::QueueId id);
  // Likewise, and it is not in the queue any more: not looked for again.
  void drop(mail::QueueId id);
  // A job that a deliver tells of as running, after our restart.
  void adopt(mail::QueueId id);
  std::vector<Settled> finished(mail::QueueId id, const Assessment& outcome, base::Mono now);
  // Nothing is left to try: the suspects are judged.
  std::vector<Settled> settle_if_idle(base::Mono now);

  // We end: nobody is judged any more.
  std::vector<Settled> spare_suspects() { return settle_suspects(Treatment::kSpare); }

  // When next() may answer differently without anything else happening; nothing: no such time.
  std::optional<base::Mono> wake_at() const;
  // Draining, and nothing is due any more, as far as the window knows.
  bool drained() const;
  std::vector<Event> take_events() { return std::exchange(events_, {}); }

  std::size_t active() const { return active_.size(); }
  std::size_t limit() const;
  // Why nothing, or little, goes out; prober has been told it by an event.
  const std::string& reason() const { return reason_; }

 private:
  struct Suspect {
    mail::QueueId id;
    Assessment outcome;
  };
  using Settlement = std::vector<Settled>;

  std::size_t ceiling() const;
  std::optional<Candidate> take_canary();
  Settlement canary_finished(mail::QueueId id, const Assessment& o, base::Mono now);
  Settlement canary_failed(mail::QueueId id, const Assessment& o, base::Mono now);
  Settlement own_affair(mail::QueueId id, const Assessment& o, base::Mono now);
  Settlement flowing_finished(mail::QueueId id, const Assessment& o, base::Mono now);
  void start_flowing();
  void accepted();
  Settlement settle_suspects(Treatment how);
  bool burst() const;
  std::size_t lost_in_a_row() const;
  bool believed(mail::QueueId id, base::Mono now) const;
  void say_why(const std::string& reason);
  void all_clear();
  Settlement brake(const std::string& reason, base::Mono now);
  void back_off(base::Millis first, base::Mono now);

  Limits limits_;
  mail::DestinationState state_ = mail::DestinationState::kDown;
  std::int64_t since_ms_ = -1;
  Phase phase_ = Phase::kStopped;
  std::string reason_;

  std::deque<Candidate> window_;
  std::set<mail::QueueId> windowed_;
  bool more_ = false, exhausted_ = false;

  std::set<mail::QueueId> active_;
  std::optional<mail::QueueId> canary_;       // the one under way
  struct Failures {
    std::size_t count = 0;
    base::Mono first{};
  };
  std::set<mail::QueueId> avoided_;           // canaries that failed since one went well: others come first
  std::map<mail::QueueId, Failures> failed_;  // likewise, but of this state only
  std::set<std::string> failures_;            // of this state: what tells them apart
  std::vector<Suspect> suspects_;
  std::size_t step_ = 0, successes_ = 0;      // of kFlowing
  bool any_accepted_ = false;                 // in this state
  base::Mono wait_until_{};
  base::Millis wait_{0};
  std::vector<Event> events_;
};

}  // namespace holdfast::qmgr
