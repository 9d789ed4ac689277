// The directory: what we know of destinations, domains and recipients (design.md section 3, "The
// directory"). Prober writes it, everybody reads it; it lies in paths.state/directory.
//
// Keys of recipients are mail::recipient_key(); those longer than kMaxRecipientKey are never learnt.
// Domains are lower case. Times are wall clock milliseconds; 0 means never.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/base/time.h"
#include "common/mail/destination_state.h"
#include "common/storage/lmdb.h"

namespace holdfast::storage {

inline constexpr std::size_t kMaxRecipientKey = 400;

struct ServerRow {
  std::string server;  // HostPort::text()
  bool up = true;
  std::string reason;
  std::int64_t since_ms = 0;
  std::vector<std::string> addresses;  // as last resolved, "10.0.0.5:25"

  template <class V>
  void fields(V&& v) { v(server, up, reason, since_ms, addresses); }
  bool operator==(const ServerRow&) const = default;
};

struct DestinationRow {
  mail::DestinationState state = mail::DestinationState::kUp;
  std::string reason;
  std::int64_t since_ms = 0;
  std::int64_t last_probe_ms = 0;
  std::int64_t confirmed_ms = 0;       // when prober last stood by this state
  bool paused = false;                 // by the admin; state is kPaused then
  std::string paused_by, paused_reason;
  std::int64_t paused_until_ms = 0;    // 0: until resumed
  mail::Capabilities capabilities;     // of the last good EHLO
  std::int64_t downtime_total_ms = 0;  // of all outages that have ended
  std::int64_t down_since_ms = 0;      // of one that lasts, else 0
  bool refuses_known = false;          // down for that reason: only an accepted known recipient ends it
  std::vector<ServerRow> servers;

  template <class V>
  void fields(V&& v) {
    v(state, reason, since_ms, last_probe_ms, confirmed_ms, paused, paused_by, paused_reason, paused_until_ms,
      capabilities, downtime_total_ms, down_since_ms, refuses_known, servers);
  }
  bool operator==(const DestinationRow&) const = default;

  // All downtime until `now_ms`, of an outage that lasts too.
  std::int64_t downtime_ms(std::int64_t now_ms) const;
};

enum class CatchAll : std::uint8_t { kUnknown, kYes, kNo };

struct CoverageDay {
  std::int64_t day = 0;  // days since 1970
  std::uint64_t accepted = 0, covered = 0;

  template <class V>
  void fields(V&& v) { v(day, accepted, covered); }
  bool operator==(const CoverageDay&) const = default;
};

// What the admin says by hand of asking filters, lists and greylisting about a domain's mail (decision 20): kBypass as in
// an emergency, kAsk although one lasts, kAuto as the configuration says.
enum class HandWord : std::uint8_t { kAuto, kBypass, kAsk };
std::string_view to_text(HandWord word);  // "auto", "on", "off": of a bypass
std::optional<HandWord> parse_hand_word(std::string_view text);

struct FilteringByHand {
  HandWord word = HandWord::kAuto;
  std::int64_t since_ms = 0, until_ms = 0;  // 0: until it is said otherwise
  std::string by;

  HandWord at(std::int64_t now_ms) const { return until_ms != 0 && until_ms <= now_ms ? HandWord::kAuto : word; }
  template <class V>
  void fields(V&& v) { v(word, since_ms, until_ms, by); }
  bool operator==(const FilteringByHand&) const = default;
};

struct DomainRow {
  std::string destination;  // that catch_all was tested at
  CatchAll catch_all = CatchAll::kUnknown;
  std::int64_t catch_all_tested_ms = 0;
  std::vector<CoverageDay> coverage;  // the last seven days with mail
  FilteringByHand filtering;

  template <class V>
  void fields(V&& v) { v(destination, catch_all, catch_all_tested_ms, coverage, filtering); }
  bool operator==(const DomainRow&) const = default;
};

enum class RecipientSource : std::uint8_t { kLearnt, kLocal, kDenied };
std::string_view to_text(RecipientSource source);  // "learnt", "local", "denied"

struct RecipientRow {
  RecipientSource source = RecipientSource::kLearnt;
  std::string destination;                 // that accepted it
  std::int64_t verified_ms = 0;            // last accepted
  std::int64_t downtime_at_verify_ms = 0;  // DestinationRow::downtime_ms() then
  std::int64_t learnt_ms = 0;              // first accepted
  std::int64_t refused_ms = 0;             // prober's own first refusal since it was accepted

  template <class V>
  void fields(V&& v) { v(source, destination, verified_ms, downtime_at_verify_ms, learnt_ms, refused_ms); }
  bool operator==(const RecipientRow&) const = default;
};

// --- Pure rules on rows ---

struct KeepRule {
  std::int64_t keep_ms = 4LL * 86400 * 1000;
  bool count_downtime = true;
};
// When a learnt row is forgotten, as things stand now; a destination that is down puts it off if
// count_downtime is false. 0 for local and denied ones: never.
std::int64_t expires_ms(const RecipientRow& row, const DestinationRow* destination, std::int64_t now_ms,
                        const KeepRule& rule);

enum class Standing { kUnknown, kKnown, kDenied };
// Of an address whose domain now goes to `destination_name`: learnt there and not expired, and not from a
// catch-all; or said by the admin.
Standing standing(const RecipientRow& row, std::string_view destination_name, const DestinationRow* destination,
                  const DomainRow* domain, std::int64_t now_ms, const KeepRule& rule);

// The state to act on: one that prober has not confirmed for three probe intervals is tried as up (paused
// excepted).
mail::DestinationState effective_state(const DestinationRow& row, std::int64_t now_ms, std::int64_t interval_ms);

// Percent of the last seven days' accepted recipients that would have been kept; nothing without mail.
std::optional<int> coverage_percent(const DomainRow& row, std::int64_t now_ms);

// --- The environment ---

class Directory {
 public:
  static base::Result<std::unique_ptr<Directory>> open(const std::string& state_folder, EnvOptions options = {});
  static std::string folder(const std::string& state_folder);  // paths.state/directory

  Env& env() { return *env_; }

  // Reads, on any transaction of env().
  std::optional<DestinationRow> destination(const Txn& txn, std::string_view name) const;
  std::optional<DomainRow> domain(const Txn& txn, std::string_view name) const;
  std::optional<RecipientRow> recipient(const Txn& txn, std::string_view key) const;
  // In order of their keys; return false to stop.
  void each_destination(const Txn& txn, const std::function<bool(std::string_view, const DestinationRow&)>& visit) const;
  void each_domain(const Txn& txn, const std::function<bool(std::string_view, const DomainRow&)>& visit) const;
  // Recipients behind `after` (empty: from the first).
  void each_recipient(const Txn& txn, std::string_view after,
                      const std::function<bool(std::string_view, const RecipientRow&)>& visit) const;
  // Those of a domain: learnt ones first, the one verified longest ago first.
  void each_recipient_of(const Txn& txn, std::string_view domain,
                         const std::function<bool(std::string_view, const RecipientRow&)>& visit) const;
  std::uint64_t learnt_count(const Txn& txn, std::string_view domain) const;

  // Changes: operations for a BatchWriter (their errors are the transaction's).
  base::Status put_destination(WriteTxn& txn, std::string_view name, const DestinationRow& row);
  base::Status erase_destination(WriteTxn& txn, std::string_view name);
  base::Status put_domain(WriteTxn& txn, std::string_view name, const DomainRow& row);
  base::Status erase_domain(WriteTxn& txn, std::string_view name);
  // Writes a recipient, keeping the order by age and the count of its domain; of learnt ones there are at
  // most `most` afterwards: the oldest go.
  base::Status put_recipient(WriteTxn& txn, std::string_view key, const RecipientRow& row, std::uint64_t most);
  base::Status erase_recipient(WriteTxn& txn, std::string_view key);
  // Forgets learnt recipients of a domain that have expired, at most `limit` of them; the number forgotten.
  base::Result<std::size_t> expire(WriteTxn& txn, std::string_view domain, std::int64_t now_ms, const KeepRule& rule,
                                   std::size_t limit);

 private:
  std::unique_ptr<Env> env_;
};

// What smtpd, deliver and gatewayctl ask at each MAIL and RCPT: a lookup costs a microsecond. While the
// directory does not exist yet all is unknown; it is looked for again at most once a second. One thread.
class DirectoryReader {
 public:
  explicit DirectoryReader(std::string state_folder);
  ~DirectoryReader();

  std::optional<DestinationRow> destination(std::string_view name);
  std::optional<DomainRow> domain(std::string_view name);
  std::optional<RecipientRow> recipient(std::string_view key);
  // standing() with the rows of now.
  Standing standing(std::string_view key, std::string_view domain, std::string_view destination, std::int64_t now_ms,
                    const KeepRule& rule);
  // Several questions about one moment; kNotFound while there is no directory. The views end with the call.
  base::Status read(const std::function<void(const Directory&, const Txn&)>& questions);

 private:
  bool ready();
  void note(const base::Error& error);

  std::string state_folder_;
  base::Error problem_{base::Kind::kNotFound, "there is no directory yet"};  // why there is none
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<ReadTxn> txn_;
  base::Mono next_look_{};
};

}  // namespace holdfast::storage
