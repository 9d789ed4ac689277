#include "qmgr/report_writer.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/config/report_road.h"
#include "common/mail/received.h"
#include "common/storage/content.h"
#include "common/storage/new_message.h"
#include "common/storage/segment_reader.h"
#include "qmgr/lifetime.h"
#include "qmgr/outcome_effect.h"
#include "qmgr/tallies.h"

namespace holdfast::qmgr {
namespace {

using mail::ReportKind;
using storage::RecipientStatus;

constexpr std::uint64_t kVerifyUpTo = 256 << 10;

// The filters' word of a spam filter begins so (design.md section 3, Bounces: `suppress`).
bool is_spam(std::string_view verdict) { return base::istarts_with(verdict, "spam"); }

std::string why_suppressed(const config::Bounces& rules, const storage::MessageRow& row,
                           const mail::Envelope& envelope) {
  if (rules.suppress_unfiltered && row.unfiltered) return "it skipped the filters";
  if (rules.suppress_spam && is_spam(envelope.verdict)) return "the filters called it spam";
  return {};
}

// What a server said begins with its code; our own words do not.
bool is_reply(std::string_view text) {
  return text.size() >= 3 && std::all_of(text.begin(), text.begin() + 3, [](char c) { return c >= '0' && c <= '9'; });
}

void note_trouble(std::string_view what, const base::Error& error, Told& told) {
  told.trouble = std::string(what) + error.text;
  told.unreadable = error.kind != base::Kind::kData && error.kind != base::Kind::kNotFound;
}

// Of a large one the header alone is read, for a person to look at; delivery_report.h makes it safe to send.
base::Result<std::string> head_of(const storage::Record& record) {
  if (record.content_size() <= kVerifyUpTo) {
    if (auto sound = record.verify(); !sound) return std::unexpected(sound.error());
  }
  std::string out(std::min<std::uint64_t>(record.content_size(), mail::kMaxHeader), '\0');
  for (std::size_t have = 0; have < out.size();) {
    const auto n = record.read_content(have, std::span(out).subspan(have));
    if (!n) return std::unexpected(n.error());
    if (*n == 0) return base::fail(base::Kind::kData, "the content is shorter than its record says");
    have += *n;
  }
  return out;
}

}  // namespace

struct ReportWriter::Call {
  storage::WriteTxn& txn;
  mail::QueueId id;
  const config::Config& config;
  std::int64_t now_ms;
  Told& told;
};

struct ReportWriter::Original {
  storage::MessageRow row;
  std::vector<storage::RecipientState> recipients;
  mail::Envelope envelope;      // empty when the record cannot be read
  std::string content;          // header or all of it; empty likewise
  bool whole = false;

  mail::Recipient asked(std::size_t i) const {
    return i < envelope.recipients.size() ? envelope.recipients[i] : mail::Recipient{};
  }
};

ReportWriter::ReportWriter(const std::string& spool, storage::QueueIndex& index, OwnSpool& own)
    : spool_(spool), index_(index), own_(own) {}

// A record that is damaged or gone costs the report its last part, no more. One that cannot be read now (no
// descriptors, a disk that flaps) is another thing: what its sender asked for stands in it.
ReportWriter::Original ReportWriter::read(const Call& call) const {
  Original out{.row = *index_.message(call.txn, call.id), .recipients = index_.recipients(call.txn, call.id)};
  read_record(call, out);
  return out;
}

void ReportWriter::read_record(const Call& call, Original& out) const {
  const auto record =
      storage::Record::open(storage::segments_folder(spool_), out.row.record, call.id, out.row.generation);
  if (!record) {
    note_trouble("its record cannot be read: ", record.error(), call.told);
    return;
  }
  out.envelope = record->envelope();
  out.whole = !is_success(call.told.kind) && base::iequals(out.envelope.ret, "FULL") && record->content_size() <= call.config.bounces.full_limit;
  auto content = out.whole ? record->content() : head_of(*record);
  call.told.read = std::min<std::uint64_t>(record->content_size(), out.whole ? ~0ULL : kVerifyUpTo);
  if (content) out.content = std::move(*content);
  else note_trouble("its content cannot be read: ", content.error(), call.told);
}

base::Status ReportWriter::pay(storage::WriteTxn& txn, mail::QueueId id, const config::Config& config,
                               std::int64_t now_ms, Told& told, bool insist) {
  told = {.original = id};
  if (!index_.owes(txn, id)) return {};
  if (!index_.message(txn, id)) return index_.erase_owed(txn, id);
  const Call call{txn, id, config, now_ms, told};
  auto original = read(call);
  if (told.unreadable && !insist && !original.row.sender.empty()) return {};
  told.unreadable = false;
  std::vector<std::size_t> about;
  for (std::size_t i = 0; i < original.recipients.size(); ++i) {
    const auto& r = original.recipients[i];
    if (r.status == RecipientStatus::kRefused && !r.withheld) about.push_back(i);
  }
  if (!original.row.sender.empty()) {
    if (auto done = tell(call, original, about); !done || told.postponed) return done;
    if (auto done = count_told(call); !done) return done;
    for (const auto i : about) original.recipients[i].status = RecipientStatus::kReported;
  }
  for (const auto i : about) {
    if (auto done = index_.put_recipient(txn, id, static_cast<std::uint32_t>(i), original.recipients[i]); !done)
      return done;
  }
  if (auto done = index_.erase_owed(txn, id); !done) return done;
  return settle(call, original);
}

base::Status ReportWriter::delay_notice(storage::WriteTxn& txn, mail::QueueId id, const config::Config& config,
                                        std::int64_t now_ms, Told& told) {
  told = {.original = id, .kind = ReportKind::kDelayed};
  const auto row = index_.message(txn, id);
  if (!row || row->sender.empty()) return {};
  const Call call{txn, id, config, now_ms, told};
  auto original = read(call);
  if (std::exchange(told.unreadable, false)) {  // no more than a courtesy: not worth a second try
    told.suppressed = std::exchange(told.trouble, {});
    return count_told(call);
  }
  std::vector<std::size_t> about;
  for (std::size_t i = 0; i < original.recipients.size(); ++i) {
    if (original.recipients[i].status == RecipientStatus::kOpen) about.push_back(i);
  }
  if (auto done = tell(call, original, about); !done || told.postponed) return done;
  return count_told(call);
}

base::Status ReportWriter::success_notice(storage::WriteTxn& txn, mail::QueueId id, const storage::MessageRow& row,
                                          const std::vector<storage::RecipientState>& recipients,
                                          const std::vector<std::uint32_t>& reached, const config::Config& config,
                                          std::int64_t now_ms, Told& told) {
  const auto* destination = config.find_destination(row.destination);
  const bool lmtp = destination != nullptr && destination->protocol == "lmtp";
  told = {.original = id, .kind = lmtp ? ReportKind::kDelivered : ReportKind::kRelayed};
  const Call call{txn, id, config, now_ms, told};
  Original original{.row = row, .recipients = recipients};
  read_record(call, original);
  if (std::exchange(told.unreadable, false)) {
    told.suppressed = std::exchange(told.trouble, {});
    return {};
  }
  std::vector<std::size_t> about;
  std::copy_if(reached.begin(), reached.end(), std::back_inserter(about), [&](std::uint32_t i) {
    return i < recipients.size() && recipients[i].status == RecipientStatus::kSent;
  });
  if (auto done = tell(call, original, about); !done) return done;
  if (std::exchange(told.postponed, false)) told.suppressed = std::exchange(told.trouble, {});
  return {};
}

base::Status ReportWriter::count_told(const Call& call) const {
  const auto& told = call.told;
  if (told.report) return count(call.txn, told.kind == ReportKind::kDelayed ? Tally::kDelayNotices : Tally::kBounces);
  return told.suppressed.empty() ? base::Status{} : count(call.txn, Tally::kSuppressed);
}

// Those of `about` whose sender wants to hear of them (RFC 3461 NOTIFY), unless none is to hear of such mail.
base::Status ReportWriter::tell(const Call& call, Original& original, const std::vector<std::size_t>& about) {
  std::vector<std::size_t> wanted;
  std::copy_if(about.begin(), about.end(), std::back_inserter(wanted),
               [&](std::size_t i) { return mail::wants_report(original.asked(i).notify, call.told.kind); });
  if (wanted.empty()) {
    if (!about.empty()) call.told.suppressed = "the sender asked for none";
    return {};
  }
  call.told.suppressed = why_suppressed(call.config.bounces, original.row, original.envelope);
  return call.told.suppressed.empty() ? write(call, original, wanted) : base::Status{};
}

base::Status ReportWriter::write(const Call& call, const Original& original, const std::vector<std::size_t>& about) {
  const auto& row = original.row;
  mail::ReportFacts facts{.kind = call.told.kind,
                          .id = own_.next_id(),
                          .original = call.id,
                          .hostname = call.config.hostname,
                          .now_ms = call.now_ms,
                          .arrival_ms = row.arrival_ms,
                          .last_attempt_ms = row.last_attempt_ms,
                          .retry_until_ms = row.expires_ms,
                          .sender = row.sender,
                          .envid = original.envelope.envid,
                          .message_id = original.envelope.message_id,
                          .recipients = {},
                          .content = original.content,
                          .whole = original.whole};
  for (const auto i : about) {
    const auto& r = original.recipients[i];
    facts.recipients.push_back({.address = r.address,
                                .orcpt = original.asked(i).orcpt,
                                .status = r.dsn,
                                .reply = r.reply.empty() ? "waiting for the mail server" : r.reply,
                                .remote = is_reply(r.reply) ? r.relay : std::string(),
                                .expired = r.dsn == kExpiredDsn});
  }
  const auto report = mail::build_report(facts);
  call.told.report = NewMessage{.id = facts.id,
                                .sender = {},
                                .destination = config::report_destination(call.config, row.sender),
                                .message_id = report.message_id,
                                .size = report.content.size(),
                                .recipients = 1};
  return add(call, original, report);
}

// Record, mark and row; what cannot be written now is owed still.
base::Status ReportWriter::add(const Call& call, const Original& original, const mail::Report& report) {
  auto& message = *call.told.report;
  mail::Envelope envelope;
  envelope.recipients = {{.address = original.row.sender, .orcpt = {}, .notify = "NEVER", .known = false}};
  envelope.destination = message.destination;
  envelope.arrival_ms = call.now_ms;
  envelope.smtputf8 = report.smtputf8;
  envelope.body = report.eight_bit ? mail::Body::k8BitMime : mail::Body::k7Bit;
  envelope.message_id = report.message_id;
  envelope.report_of = call.id.value;
  storage::Content content(spool_);
  base::Result<mail::RecordRef> record;
  if (call.txn.nearly_full(4)) {
    record = base::fail(base::Kind::kNoSpace, "the queue index is nearly full");
  } else if (auto kept = content.append(report.content); !kept) {
    record = std::unexpected(kept.error());
  } else if (auto done = own_.append(call.txn, {message.id, 0, envelope, content}, record); !done) {
    return done;
  }
  if (!record) {
    call.told.postponed = true;
    call.told.trouble = record.error().text;
    call.told.report.reset();
    return {};
  }
  auto row = storage::first_row(envelope, *record, 0, content.size());
  begin_lifetime(row, call.config, call.now_ms);
  return index_.add(call.txn, message.id, row, storage::first_recipients(envelope));
}

// What becomes of the original when its debt is paid.
base::Status ReportWriter::settle(const Call& call, Original& original) {
  auto& row = original.row;
  const auto left = settle_rest(row, original.recipients, call.now_ms, call.config);
  call.told.removed = left == Rest::kNobody;
  call.told.frozen = left == Rest::kFrozen;
  call.told.held = left == Rest::kHeld;
  call.told.reason = row.reason;
  return call.told.removed ? index_.remove(call.txn, call.id) : index_.update(call.txn, call.id, row);
}

}  // namespace holdfast::qmgr
