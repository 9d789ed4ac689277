// What the outcome of a job changes in the index (design.md section 3, Retries and Bounces). Pure: rows in,
// rows out.
//
// A 5xx that counts ends its recipient: the sender is owed a report (report_writer.h pays it). There are three for
// whom nobody is told: a null-sender message is frozen; so is a bounce of ours, whatever its one attempt failed
// by, unless it was spared as the destination's fault; and mail that skipped the filters and is refused for what it is,
// is held, since its sender may well be forged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/config/config.h"
#include "common/ipc/messages.h"
#include "common/storage/queue_index.h"
#include "qmgr/lane.h"
#include "qmgr/retry_schedule.h"

namespace holdfast::qmgr {

struct Ruling {
  Treatment how = Treatment::kAsIs;
  std::int64_t now_ms = 0;
  bool draining = false;
  std::int64_t longest_wait_ms = 0;   // while draining, or when spared: it comes back soon; 0: no bound
  Jitter jitter{};
  std::vector<config::Phase> schedule;
  config::ConfigPtr config;           // bounces and frozen mail; never null
  // When it was due, as it was handed out. Nothing but `queue retry` (or release) moves that while it is under way:
  // the admin has asked for an attempt, and this one was begun before.
  std::optional<std::int64_t> handed_due_ms = {};
};

enum class Fate : std::uint8_t {
  kStale,     // this attempt has been dealt with before, or is of another generation; nothing is changed
  kDone,      // every recipient has been reached; the message is to be removed
  kDeferred,
  kHeld,
  kFrozen,
  kWaiting,   // nobody is left to try, and the sender is still to be told
};
struct Effect {
  Fate fate = Fate::kStale;
  bool owed = false;                  // put it into the table `owed`, whatever the fate
  std::vector<std::size_t> refused;   // recipients that this outcome has ended
};

inline constexpr std::uint32_t kMostLost = 3;
// due_ms of a message nobody of which is left to try: no attempt and no deadline until its sender has been told.
// The end of the year 9999, so that it can be shown.
inline constexpr std::int64_t kNever = 253'402'300'799'000;
inline constexpr std::string_view kExpiredDsn = "5.4.7";  // RFC 3463: delivery time expired

Effect apply_outcome(storage::MessageRow& row, std::vector<storage::RecipientState>& recipients,
                     const ipc::Outcome& outcome, const Ruling& ruling);

// True when a refusal says that this mailbox cannot be had, and not that this mail is unwanted: X.1, X.2 and X.4
// of RFC 3463 but for those about the sender; without such a code a 550 to 553 at RCPT.
bool is_about_mailbox(std::string_view reply, std::string_view dsn, mail::Stage stage);

// The rest of a message some of whose recipients were reported: what becomes of it. Sets `open`.
enum class Rest : std::uint8_t { kNobody, kOpen, kHeld, kFrozen };
Rest settle_rest(storage::MessageRow& row, const std::vector<storage::RecipientState>& recipients, std::int64_t now_ms,
                 const config::Config& config);

// Open again, due now: a held, frozen or deferred message that the admin wants tried. Those refused and still to
// be reported stay so while it is deferred.
void reopen(storage::MessageRow& row, std::vector<storage::RecipientState>& recipients, std::int64_t now_ms);

}  // namespace holdfast::qmgr
