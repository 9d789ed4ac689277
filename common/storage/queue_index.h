// The queue's index (design.md section 4): all that changes about kept mail. qmgr writes it, everybody
// reads it; it lies in paths.spool/index. A lost index is made again from the segments; a row without its
// record is set aside, never delivered.
//
//   message         id                              MessageRow
//   recipient       id, index                       RecipientState
//   arrival         arrival, id                     -              the queue in order of age
//   by_destination  destination, arrival, id        Waiting        the same of one destination
//   due             destination, due, id            -              deferred messages only
//   counter         destination, "@domain", or ""   Counter        "" is all
//   segment         writer, number                  SegmentRow
//   deadline        time, id                        -              what happens to a message without a try
//   owed            id                              -              its sender must hear of kRefused recipients
//   meta            name                            a number       "version" of all this, "born": see born()
//
// LMDB has no checksums, so every value carries one over its table, key and bytes in its last 4 bytes: a row that
// was damaged is found when it is read, and ends the process with words (Env::damaged). What has no value is
// verified by index_check.h.
//
// Numbers in keys are big-endian, so that the order of keys is that of numbers. What is active (handed to
// a deliver just now) is known to qmgr alone, and asked from it; here it is deferred.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/mail/queue_id.h"
#include "common/mail/record_ref.h"
#include "common/storage/lmdb.h"
#include "common/storage/segment.h"

namespace holdfast::storage {

enum class MessageState : std::uint8_t { kDeferred, kHeld, kFrozen };
std::string_view to_text(MessageState state);  // "deferred", "held", "frozen"
std::optional<MessageState> parse_message_state(std::string_view text);

// Of mail that skipped the filters: what they said when they were asked after all (decision 25).
enum class Rescan : std::uint8_t {
  kNone,
  kRefused,   // held for that
  kReleased,  // an admin has released it since: they are not asked any more
};

struct MessageRow {
  mail::RecordRef record;
  std::uint32_t generation = 0;
  std::uint64_t size = 0;            // of the content, in wire format
  std::string sender, destination;
  std::int64_t arrival_ms = 0;
  MessageState state = MessageState::kDeferred;
  std::string reason;                // why it is held, or why the last attempt failed
  std::uint32_t attempts = 0;        // ended ones
  std::int64_t last_attempt_ms = 0;
  std::int64_t due_ms = 0;           // of the next attempt
  std::uint32_t open = 0;            // recipients still to be reached: open or refused
  std::uint32_t lost = 0;            // attempts during which the connection was lost
  bool unfiltered = false;
  std::vector<std::string> domains;  // of its recipients, lower case, each once: what quotas count by
  std::uint64_t report_of = 0;       // the message this bounce or delay notice speaks of; 0: it is mail
  std::int64_t expires_ms = 0;       // given up then; 0: never
  std::int64_t warn_ms = 0;          // its sender is told of the delay then; 0: never, kWarned: has been told
  std::int64_t discard_ms = 0;       // of a frozen one: deleted then; 0: kept until an admin comes
  std::int64_t wait_ms = 0;          // planned before the next attempt, without jitter: what a schedule grows from
  bool own_expiry = false;           // expires_ms was said by an admin: another schedule does not change it
  Rescan rescan = Rescan::kNone;

  template <class V>
  void fields(V&& v) {
    v(record, generation, size, sender, destination, arrival_ms, state, reason, attempts, last_attempt_ms, due_ms,
      open, lost, unfiltered, domains, report_of, expires_ms, warn_ms, discard_ms, wait_ms, own_expiry, rescan);
  }
  bool operator==(const MessageRow&) const = default;
};

inline constexpr std::int64_t kWarned = -1;

// When something is to happen to the message without an attempt: while deferred the earlier of warning and
// expiry, while frozen the discarding; while held nothing. 0: never.
std::int64_t deadline_ms(const MessageRow& row);

// kRefused: given up (a 5xx, or too old), and the sender is still to be told if anybody is; kReported: told,
// or there was nobody to tell. Only kOpen is tried.
enum class RecipientStatus : std::uint8_t { kOpen, kSent, kRefused, kReported };
std::string_view to_text(RecipientStatus status);  // "open", "sent", "refused", "reported"

struct RecipientState {
  std::string address;
  bool known = true;
  RecipientStatus status = RecipientStatus::kOpen;
  std::string reply;                 // the last one, or our own words
  std::string dsn;
  std::string relay;                 // who said it: "10.0.0.5[10.0.0.5]:25"; "none" or empty: nobody
  bool withheld = false;             // refused, but never bounced: unfiltered mail, refused for what it is

  template <class V>
  void fields(V&& v) { v(address, known, status, reply, dsn, relay, withheld); }
  bool operator==(const RecipientState&) const = default;
};

struct Waiting {
  MessageState state = MessageState::kDeferred;
  std::uint64_t size = 0;
  std::int64_t last_attempt_ms = 0;
  std::int64_t due_ms = 0;

  template <class V>
  void fields(V&& v) { v(state, size, last_attempt_ms, due_ms); }
};

struct Counter {
  std::uint64_t deferred = 0, held = 0, frozen = 0;  // messages
  std::uint64_t bytes = 0;                           // of their contents
  std::uint64_t unfiltered = 0;                      // messages that nobody has filtered; not of those counted before this was

  std::uint64_t messages() const { return deferred + held + frozen; }
  template <class V>
  void fields(V&& v) { v(deferred, held, frozen, bytes, unfiltered); }
  bool operator==(const Counter&) const = default;
};

enum class SegmentState : std::uint8_t { kLive, kSealed, kDead };

struct SegmentRow {
  SegmentState state = SegmentState::kLive;
  std::uint64_t indexed_upto = kBlock;
  std::uint64_t live_records = 0;    // records some message row points at
  std::uint64_t live_bytes = 0;      // with their padding
  // What could not be copied to corrupt/ yet (the disk was full): until then it keeps the segment. The first
  // kMostDamage places; the last of them reaches over all that follow.
  std::vector<Damage> damage;

  // Nothing is in it that anybody may want.
  bool is_done() const { return state == SegmentState::kSealed && live_records == 0 && damage.empty(); }
  void add_damage(const Damage& place);
  template <class V>
  void fields(V&& v) { v(state, indexed_upto, live_records, live_bytes, damage); }
  bool operator==(const SegmentRow&) const = default;
};
inline constexpr std::size_t kMostDamage = 200;

// Which messages a command or a listing means; empty fields mean all.
struct QueueFilter {
  std::optional<MessageState> state;
  std::string destination;           // exact
  std::string domain;                // of any recipient; any case
  std::string sender;                // any case; "<>" is the null sender, "@x" a whole domain
  std::string recipient;             // any case; "@x" a whole domain
  bool unfiltered = false;           // only what nobody has filtered
  std::string held_by;               // only held mail whose reason has this in it; any case

  // It means those that both say yes to; recipients are read only of those that pass the first.
  bool matches(const MessageRow& row) const;
  bool matches(const std::vector<RecipientState>& recipients) const;
};

struct Listed {
  mail::QueueId id;
  MessageRow message;
  std::vector<RecipientState> recipients;
};
struct ListPage {
  std::vector<Listed> messages;
  std::string next;                  // give it back for what follows; empty: that was all
};

class QueueIndex {
 public:
  // kData when it is damaged, or of another version. `born` is for one that is made now: see born().
  static base::Result<std::unique_ptr<QueueIndex>> open(const std::string& spool, EnvOptions options = {},
                                                        std::uint32_t born = 0);
  static base::Result<std::unique_ptr<QueueIndex>> open_folder(const std::string& folder, EnvOptions options,
                                                               std::uint32_t born = 0);
  static std::string folder(const std::string& spool);  // paths.spool/index
  const std::string& spool() const { return spool_; }   // as given to open()

  Env& env() { return *env_; }

  // --- Reads, on any transaction of env() ---
  // The writer number of the qmgr that made this index. A segment of qmgr's own that this index knows nothing of
  // holds nothing that was committed if its writer is not older; if it is, an index was lost that may have known it.
  std::uint32_t born(const Txn& txn) const;
  std::optional<MessageRow> message(const Txn& txn, mail::QueueId id) const;
  std::vector<RecipientState> recipients(const Txn& txn, mail::QueueId id) const;
  Counter counter(const Txn& txn, std::string_view destination) const;  // "" for all
  // Of a recipient domain. A message with recipients in several counts in each.
  Counter domain_counter(const Txn& txn, std::string_view domain) const;
  void each_domain_counter(const Txn& txn,
                           const std::function<void(std::string_view domain, const Counter&)>& visit) const;
  void each_counter(const Txn& txn,
                    const std::function<void(std::string_view destination, const Counter&)>& visit) const;
  std::optional<std::int64_t> oldest_arrival_ms(const Txn& txn) const;
  std::optional<SegmentRow> segment(const Txn& txn, SegmentId id) const;
  void each_segment(const Txn& txn, const std::function<void(SegmentId, const SegmentRow&)>& visit) const;
  // By age, oldest first; `cursor` is empty or a former page's next. Looks at 5,000 messages at most, so
  // that a page may be short, or empty, and still have a next.
  ListPage list(const Txn& txn, const QueueFilter& filter, std::string_view cursor, std::size_t limit) const;
  // The cursor for what follows this message in such a list; nothing when it is not there.
  std::optional<std::string> cursor_behind(const Txn& txn, const QueueFilter& filter, mail::QueueId id) const;

  // Messages of a destination behind (arrival, id), in order of age, of every state; return false to stop.
  struct Place {
    std::int64_t time_ms = 0;
    mail::QueueId id;
    auto operator<=>(const Place&) const = default;
  };
  void by_age(const Txn& txn, std::string_view destination, Place behind,
              const std::function<bool(Place, const Waiting&)>& visit) const;
  // Deferred messages of a destination in the order in which they become due.
  void by_due(const Txn& txn, std::string_view destination, Place behind,
              const std::function<bool(Place)>& visit) const;

  // Messages whose deadline is not later than `now_ms`, the earliest first; return false to stop.
  void by_deadline(const Txn& txn, std::int64_t now_ms, const std::function<bool(Place)>& visit) const;
  std::optional<std::int64_t> next_deadline_ms(const Txn& txn) const;
  // By which lifetime and delay warning the deadlines of the destination's messages were planned.
  struct Plan {
    std::int64_t lifetime_ms = 0, warn_ms = 0;
    bool operator==(const Plan&) const = default;
  };
  std::optional<Plan> plan(const Txn& txn, std::string_view destination) const;
  // Messages with an owed report, in order of their ids, behind `behind`.
  void each_owed(const Txn& txn, mail::QueueId behind, const std::function<bool(mail::QueueId)>& visit) const;
  bool owes(const Txn& txn, mail::QueueId id) const;

  // --- Changes: parts of operations for a BatchWriter ---
  // A message of which this or a later generation is known already is left as it is.
  base::Status add(WriteTxn& txn, mail::QueueId id, const MessageRow& row,
                   const std::vector<RecipientState>& recipients);
  // Replaces the row of a message that exists, and moves it in all orders and counters.
  base::Status update(WriteTxn& txn, mail::QueueId id, const MessageRow& row);
  base::Status put_recipient(WriteTxn& txn, mail::QueueId id, std::uint32_t index, const RecipientState& recipient);
  // All rows of it; its record becomes garbage in its segment. Fine when it is not there.
  base::Status remove(WriteTxn& txn, mail::QueueId id);
  // That the sender is to hear of the message's kRefused recipients; remove() forgets it too.
  base::Status put_owed(WriteTxn& txn, mail::QueueId id);
  base::Status put_plan(WriteTxn& txn, std::string_view destination, const Plan& plan);
  base::Status erase_owed(WriteTxn& txn, mail::QueueId id);
  base::Status put_segment(WriteTxn& txn, SegmentId id, const SegmentRow& row);
  base::Status erase_segment(WriteTxn& txn, SegmentId id);

 private:
  base::Status check_version(bool read_only, std::uint32_t born_by);
  base::Status count_in(WriteTxn& txn, std::string_view name, const MessageRow& row, int sign);
  base::Status count(WriteTxn& txn, const MessageRow& row, int sign);
  base::Status count_record(WriteTxn& txn, const MessageRow& row, int sign);
  base::Status put_order(WriteTxn& txn, mail::QueueId id, const MessageRow& row);
  base::Status erase_order(WriteTxn& txn, mail::QueueId id, const MessageRow& row);

  std::string spool_;
  std::unique_ptr<Env> env_;
};

}  // namespace holdfast::storage
