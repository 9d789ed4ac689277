// Every message that daemons send each other, declared once. All sockets are in the run folder:
// master.sock, qmgr.sock, prober.sock, alertd.sock. Each side's first message is a Hello; a wrong protocol or version
// ends the connection. A frame is a 32-bit length, a 16-bit type, and the fields by base/codec.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/mail/destination_state.h"
#include "common/mail/record_ref.h"
#include "common/mail/reply.h"
#include "common/mail/stage.h"

namespace holdfast::ipc {

enum class Type : std::uint16_t {
  kHello = 1,
  kControl, kControlReply,
  kSynced,
  kDeliverHello, kReady, kJob, kOutcome, kOutcomeCommitted,
  kFact, kLearn, kRefusedKnown, kProbeNow, kDrainReport,
  kDestination,
  kQueueRoom,
  kEvent, kEventTaken,
};

// First in both directions. `name` is the program ("smtpd", "gatewayctl"), `worker` its number.
struct Hello {
  static constexpr Type kType = Type::kHello;
  static constexpr std::uint32_t kVersion = 1;
  std::string protocol = "holdfast";
  std::uint32_t version = kVersion;
  std::string name;
  std::uint32_t worker = 0;
  std::uint32_t pid = 0;
  template <class V>
  void fields(V&& v) { v(protocol, version, name, worker, pid); }
};

// gatewayctl to any daemon: a command with words, answered by one reply. `exit` is from sysexits.h;
// `json` is the answer's object, or empty; `text` the error when exit is not 0.
struct Control {
  static constexpr Type kType = Type::kControl;
  std::string command;            // "queue.retry", "dest.pause", "rcpt.add", "master.status", …
  std::vector<std::string> words;
  std::string user;               // who asks, for logs
  template <class V>
  void fields(V&& v) { v(command, words, user); }
};
struct ControlReply {
  static constexpr Type kType = Type::kControlReply;
  std::int32_t exit = 0;
  std::string json;
  std::string text;
  template <class V>
  void fields(V&& v) { v(exit, json, text); }
};

// smtpd to qmgr: all records of this segment up to `upto` bytes are durable. Sent once a batch, and for
// every segment this smtpd has written and not yet closed, right after its Hello (design.md section 4).
struct Synced {
  static constexpr Type kType = Type::kSynced;
  std::uint32_t writer = 0;
  std::uint32_t segment = 0;
  std::uint64_t upto = 0;
  bool sealed = false;            // nothing will be appended any more
  template <class V>
  void fields(V&& v) { v(writer, segment, upto, sealed); }
};

// qmgr to smtpd, after its Hello and at each change: how much more may be kept. What is not named has no bound.
struct RoomLeft {
  std::string domain;             // of recipients, lower case; empty: the queue as a whole
  std::uint64_t messages = 0, bytes = 0;
  template <class V>
  void fields(V&& v) { v(domain, messages, bytes); }
  bool operator==(const RoomLeft&) const = default;
};
struct QueueRoom {
  static constexpr Type kType = Type::kQueueRoom;
  std::vector<RoomLeft> left;
  template <class V>
  void fields(V&& v) { v(left); }
};

using mail::RecordRef;

struct JobRecipient {
  std::uint32_t index = 0;        // in the record's envelope
  std::string address;
  bool known = true;
  template <class V>
  void fields(V&& v) { v(index, address, known); }
};

// qmgr to deliver: hand this message over now. There is never more than one job a queue id; attempt
// counts the attempts begun for the message and names the job together with the id.
struct Job {
  static constexpr Type kType = Type::kJob;
  std::uint64_t queue_id = 0;
  std::uint32_t generation = 0;
  std::uint32_t attempt = 0;
  std::string destination;
  RecordRef record;
  std::int64_t arrival_ms = 0;
  std::int64_t due_ms = 0;        // when it became due: delays= in the log
  bool canary = false;
  std::vector<JobRecipient> recipients;  // those still open
  std::string mx_domain;          // for a destination by MX: the domain to look up
  bool rescan = false;            // it skipped the filters: they are to be asked first, where there are any
  template <class V>
  void fields(V&& v) {
    v(queue_id, generation, attempt, destination, record, arrival_ms, due_ms, canary, recipients, mx_domain,
      rescan);
  }
};

// The stage at which an attempt failed, in the order of the session.
using mail::Stage;

struct RecipientOutcome {
  std::uint32_t index = 0;
  std::uint8_t status = 0;        // RecipientStatus
  std::string reply;              // "550 5.1.1 No such user", or our own words when there was none
  std::string dsn;                // "5.1.1"
  Stage stage = Stage::kNone;
  bool own_words = false;         // no reply: the connection failed, timed out, was lost
  bool speaks_of_recipient = false;
  template <class V>
  void fields(V&& v) { v(index, status, reply, dsn, stage, own_words, speaks_of_recipient); }
};
enum class RecipientStatus : std::uint8_t { kSent = 0, kDeferred = 1, kRefused = 2 };

// What filters said to mail that had skipped them (decision 25). But for kNone nothing was sent, and every recipient's reply
// says why.
enum class RescanWord : std::uint8_t {
  kNone = 0,   // nothing against it, or not asked
  kLater = 1,  // not now: to be asked again
  kHold = 2,   // refused: for the admin to look at
};

// deliver to qmgr; kept by deliver until OutcomeCommitted names it.
struct Outcome {
  static constexpr Type kType = Type::kOutcome;
  std::uint64_t queue_id = 0;
  std::uint32_t generation = 0;
  std::uint32_t attempt = 0;
  std::string destination;
  std::string relay;              // "10.0.0.5[10.0.0.5]:25" or "none"
  bool canary = false;
  Stage stage = Stage::kNone;     // where the session failed, if it did for all recipients alike
  std::int32_t code = 0;          // the reply's code there, 0: no reply
  bool connection_lost = false;   // lost while this message was being handed over (after MAIL was answered)
  bool possible_duplicate = false;  // lost after the dot, before its answer
  bool damaged = false;           // the record's checksum failed: set aside
  std::vector<RecipientOutcome> recipients;  // one for each of the job's
  bool unreadable = false;        // the record cannot be read now, and it is its own fault: no permission, a bad disk
  std::vector<std::uint32_t> success_owed;  // indexes of recipients: reached, by a server without DSN, and the sender asked to be told
  RescanWord rescan = RescanWord::kNone;
  template <class V>
  void fields(V&& v) {
    v(queue_id, generation, attempt, destination, relay, canary, stage, code, connection_lost, possible_duplicate,
      damaged, recipients, unreadable, success_owed, rescan);
  }
};
struct OutcomeCommitted {
  static constexpr Type kType = Type::kOutcomeCommitted;
  std::uint64_t queue_id = 0;
  std::uint32_t attempt = 0;
  template <class V>
  void fields(V&& v) { v(queue_id, attempt); }
};

// deliver's second message to qmgr, right after its Hello: what it still runs, and what it has to tell.
struct RunningJob {
  std::uint64_t queue_id = 0;
  std::uint32_t attempt = 0;
  std::string destination;
  template <class V>
  void fields(V&& v) { v(queue_id, attempt, destination); }
};
struct DeliverHello {
  static constexpr Type kType = Type::kDeliverHello;
  std::vector<RunningJob> running;
  std::vector<Outcome> outcomes;
  template <class V>
  void fields(V&& v) { v(running, outcomes); }
};

// smtpd, deliver and qmgr to prober: how a server behaved. Successes are sent at most once a second a
// server; failures always.
struct Fact {
  static constexpr Type kType = Type::kFact;
  std::string destination;
  std::string server;             // HostPort::text() of the configuration
  std::string address;            // the address tried, "10.0.0.5:25"; empty when the name did not resolve
  bool ok = false;
  Stage stage = Stage::kNone;
  std::int32_t code = 0;
  std::string reason;             // "connect: connection refused"
  bool reused = false;            // on a reused connection before MAIL was answered: only triggers a probe
  template <class V>
  void fields(V&& v) { v(destination, server, address, ok, stage, code, reason, reused); }
};

// smtpd to prober, batched (1 s, bounded): recipients the destination accepted (2xx but 252).
struct LearntRecipient {
  std::string key;                // mail::recipient_key()
  std::string destination;
  bool refresh = true;            // not learnable or fresh enough: only counts for coverage
  std::uint32_t count = 1;        // acceptances since the last batch
  template <class V>
  void fields(V&& v) { v(key, destination, refresh, count); }
};
struct Learn {
  static constexpr Type kType = Type::kLearn;
  std::vector<LearntRecipient> recipients;
  template <class V>
  void fields(V&& v) { v(recipients); }
};

// smtpd and qmgr to prober: a known recipient was refused with words that speak of the recipient. The
// prober asks by itself before anything is forgotten.
struct RefusedKnown {
  static constexpr Type kType = Type::kRefusedKnown;
  std::string destination;
  std::string key;
  std::string address;            // as written
  std::string reply;
  template <class V>
  void fields(V&& v) { v(destination, key, address, reply); }
};

// Anyone to prober: look at this destination now (a message came for it and it is down; a reused
// connection failed). The prober decides whether its last probe is old enough.
struct ProbeNow {
  static constexpr Type kType = Type::kProbeNow;
  std::string destination;
  template <class V>
  void fields(V&& v) { v(destination); }
};

// qmgr to prober: how the drain of a destination goes.
enum class DrainEvent : std::uint8_t {
  kDrained,          // nothing is due any more: up
  kFailed,           // three different canaries failed: down, with the reason
  kBrake,            // a burst of refusals that are the destination's fault: stays draining, reason shown
  kCanaryAccepted,   // the brake is off again
};
struct DrainReport {
  static constexpr Type kType = Type::kDrainReport;
  std::string destination;
  std::int64_t since_ms = 0;      // of the draining state that this speaks of; an older one is ignored
  DrainEvent event = DrainEvent::kDrained;
  std::string reason;
  template <class V>
  void fields(V&& v) { v(destination, since_ms, event, reason); }
};

// prober to every connected daemon: the state of a destination, at each change and for all destinations
// right after the Hello. The directory holds it already, if it can be written (decision 7).
struct Destination {
  static constexpr Type kType = Type::kDestination;
  std::string name;
  mail::DestinationState state = mail::DestinationState::kUp;
  std::string reason;
  std::int64_t since_ms = 0;
  template <class V>
  void fields(V&& v) { v(name, state, reason, since_ms); }
};

// Anyone to alertd: something an admin may want to hear of (base/announce.h). It is sent again on each new connection until
// EventTaken names it or a later one: alertd knows by the sender's Hello and `number` what it has had.
struct EventFact {
  std::string key, value;
  template <class V>
  void fields(V&& v) { v(key, value); }
};
struct Event {
  static constexpr Type kType = Type::kEvent;
  std::string name;
  std::vector<EventFact> facts;
  std::int64_t at_ms = 0;
  std::uint64_t number = 0;       // from 1, in order, of this process
  std::uint64_t dropped = 0;      // how many were given up before it, since there was no room to keep them
  template <class V>
  void fields(V&& v) { v(name, facts, at_ms, number, dropped); }
};
// alertd to the sender: this one and all before it are on disk.
struct EventTaken {
  static constexpr Type kType = Type::kEventTaken;
  std::uint64_t number = 0;
  template <class V>
  void fields(V&& v) { v(number); }
};

}  // namespace holdfast::ipc
