#include "common/storage/queue_index.h"

#include <fmt/format.h>

#include "common/base/panic.h"
#include "common/storage/queue_tables.h"

namespace holdfast::storage {

using namespace queue_tables;

namespace {

constexpr std::size_t kLookAtMost = 5000;

// Both durations of a plan in one number, in seconds.
std::string plan_name(std::string_view destination) { return fmt::format("plan {}", destination); }

std::uint64_t& share_of(Counter& counter, MessageState state) {
  switch (state) {
    case MessageState::kDeferred: return counter.deferred;
    case MessageState::kHeld: return counter.held;
    case MessageState::kFrozen: return counter.frozen;
  }
  base::panic("a message's state is none");
}

void add_to(std::uint64_t& number, std::uint64_t amount, int sign) {
  if (sign > 0) {
    number += amount;
  } else {
    base::expect(number >= amount, "a counter of the queue index went below zero");
    number -= amount;
  }
}

// Walks the keys of one destination behind a place.
template <class Visit>
void walk(const Txn& txn, Table table, std::string_view destination, QueueIndex::Place behind, const Visit& visit) {
  const Key prefix = Key().name(destination), start = place_key(destination, behind);
  Cursor cursor(txn, table);
  cursor.seek(start);
  if (cursor.valid() && cursor.key() == std::string_view(start)) cursor.next();
  for (; cursor.valid() && cursor.key().starts_with(prefix); cursor.next()) {
    if (!visit(place_of(cursor.key(), prefix.text().size()), cursor)) return;
  }
}

}  // namespace

std::string QueueIndex::folder(const std::string& spool) { return spool + "/index"; }

base::Result<std::unique_ptr<QueueIndex>> QueueIndex::open(const std::string& spool, EnvOptions options,
                                                           std::uint32_t born) {
  auto index = open_folder(folder(spool), options, born);
  if (index) (*index)->spool_ = spool;
  return index;
}

base::Result<std::unique_ptr<QueueIndex>> QueueIndex::open_folder(const std::string& folder, EnvOptions options,
                                                                  std::uint32_t born) {
  options.repair = kRepair;
  auto env = Env::open(folder, kTables, options);
  if (!env) return std::unexpected(env.error());
  std::unique_ptr<QueueIndex> index(new QueueIndex);
  index->env_ = std::move(*env);
  if (auto fits = index->check_version(options.read_only, born); !fits) return std::unexpected(fits.error());
  return index;
}

base::Status QueueIndex::check_version(bool read_only, std::uint32_t born_by) {
  std::optional<std::uint64_t> version;
  {
    ReadTxn txn(*env_);
    const ReadTxn::View view(txn);
    if (!view) return std::unexpected(view.error());
    version = find_number(txn, kVersionName);
    if (!version && txn.entries(kMessage) + txn.entries(kSegment) > 0) version = 0;
  }
  if (version == kVersion) return {};
  if (version) {
    return base::fail(base::Kind::kData,
                      fmt::format("the queue index is of version {} and this program works with {}; {}", *version,
                                  kVersion, kRepair));
  }
  if (read_only) return base::fail(base::Kind::kNotFound, "the queue index is just being made");
  auto txn = WriteTxn::begin(*env_);
  if (!txn) return std::unexpected(txn.error());
  if (auto done = put_number(**txn, kBornName, born_by); !done) return done;
  if (auto done = put_number(**txn, kVersionName, kVersion); !done) return done;
  return (*txn)->commit();
}

std::uint32_t QueueIndex::born(const Txn& txn) const {
  return static_cast<std::uint32_t>(find_number(txn, kBornName).value_or(0));
}

std::optional<MessageRow> QueueIndex::message(const Txn& txn, mail::QueueId id) const {
  return find<MessageRow>(txn, kMessage, id_key(id));
}

std::vector<RecipientState> QueueIndex::recipients(const Txn& txn, mail::QueueId id) const {
  std::vector<RecipientState> out;
  const Key prefix = id_key(id);
  Cursor cursor(txn, kRecipient);
  for (cursor.seek(prefix); cursor.valid() && cursor.key().starts_with(prefix); cursor.next()) {
    out.push_back(row_of<RecipientState>(txn, kRecipient, cursor.key(), cursor.value()));
  }
  return out;
}

Counter QueueIndex::counter(const Txn& txn, std::string_view destination) const {
  return find<Counter>(txn, kCounter, Key().name(destination)).value_or(Counter{});
}

void QueueIndex::each_counter(const Txn& txn,
                              const std::function<void(std::string_view, const Counter&)>& visit) const {
  Cursor cursor(txn, kCounter);
  for (cursor.first(); cursor.valid(); cursor.next()) {
    const auto name = cursor.key().substr(0, cursor.key().size() - 1);
    if (!name.empty() && name.front() != kDomainMark)
      visit(name, row_of<Counter>(txn, kCounter, cursor.key(), cursor.value()));
  }
}

Counter QueueIndex::domain_counter(const Txn& txn, std::string_view domain) const {
  return counter(txn, domain_counter_name(domain));
}

void QueueIndex::each_domain_counter(const Txn& txn,
                                     const std::function<void(std::string_view, const Counter&)>& visit) const {
  Cursor cursor(txn, kCounter);
  for (cursor.seek(std::string_view(&kDomainMark, 1)); cursor.valid() && cursor.key().front() == kDomainMark;
       cursor.next()) {
    visit(cursor.key().substr(1, cursor.key().size() - 2),
          row_of<Counter>(txn, kCounter, cursor.key(), cursor.value()));
  }
}

std::optional<std::int64_t> QueueIndex::oldest_arrival_ms(const Txn& txn) const {
  Cursor cursor(txn, kArrival);
  if (!cursor.first()) return std::nullopt;
  return place_of(cursor.key(), 0).time_ms;
}

std::optional<SegmentRow> QueueIndex::segment(const Txn& txn, SegmentId id) const {
  return find<SegmentRow>(txn, kSegment, segment_key(id));
}

void QueueIndex::each_segment(const Txn& txn, const std::function<void(SegmentId, const SegmentRow&)>& visit) const {
  Cursor cursor(txn, kSegment);
  for (cursor.first(); cursor.valid(); cursor.next()) {
    visit({key_number<std::uint32_t>(cursor.key(), 0), key_number<std::uint32_t>(cursor.key(), 4)},
          row_of<SegmentRow>(txn, kSegment, cursor.key(), cursor.value()));
  }
}

ListPage QueueIndex::list(const Txn& txn, const QueueFilter& filter, std::string_view from, std::size_t limit) const {
  ListPage page;
  const Key start = filter.destination.empty() ? Key() : Key().name(filter.destination);
  Cursor cursor(txn, filter.destination.empty() ? kArrival : kByDestination);
  cursor.seek(from.empty() ? std::string_view(start) : from);
  if (cursor.valid() && !from.empty() && cursor.key() == from) cursor.next();
  std::string last;
  for (std::size_t looked = 0; cursor.valid() && cursor.key().starts_with(start); cursor.next()) {
    if (page.messages.size() == limit || looked++ == kLookAtMost) {
      page.next = last;
      break;
    }
    last = cursor.key();
    const auto id = place_of(cursor.key(), start.text().size()).id;
    auto row = message(txn, id);
    if (!row) txn.env().damaged("it lists a message it does not know");
    if (!filter.matches(*row)) continue;
    auto to = recipients(txn, id);
    if (filter.matches(to)) page.messages.push_back({id, std::move(*row), std::move(to)});
  }
  return page;
}

std::optional<std::string> QueueIndex::cursor_behind(const Txn& txn, const QueueFilter& filter,
                                                     mail::QueueId id) const {
  const auto row = message(txn, id);
  if (!row || (!filter.destination.empty() && row->destination != filter.destination)) return std::nullopt;
  if (filter.destination.empty()) return arrival_key(row->arrival_ms, id).text();
  return place_key(row->destination, {row->arrival_ms, id}).text();
}

void QueueIndex::by_age(const Txn& txn, std::string_view destination, Place behind,
                        const std::function<bool(Place, const Waiting&)>& visit) const {
  walk(txn, kByDestination, destination, behind,
       [&](Place place, const Cursor& at) {
         return visit(place, row_of<Waiting>(txn, kByDestination, at.key(), at.value()));
       });
}

void QueueIndex::by_due(const Txn& txn, std::string_view destination, Place behind,
                        const std::function<bool(Place)>& visit) const {
  walk(txn, kDue, destination, behind, [&](Place place, const Cursor&) { return visit(place); });
}

void QueueIndex::by_deadline(const Txn& txn, std::int64_t now_ms, const std::function<bool(Place)>& visit) const {
  Cursor cursor(txn, kDeadline);
  for (cursor.first(); cursor.valid(); cursor.next()) {
    const auto place = place_of(cursor.key(), 0);
    if (place.time_ms > now_ms || !visit(place)) return;
  }
}

std::optional<std::int64_t> QueueIndex::next_deadline_ms(const Txn& txn) const {
  Cursor cursor(txn, kDeadline);
  if (!cursor.first()) return std::nullopt;
  return place_of(cursor.key(), 0).time_ms;
}

void QueueIndex::each_owed(const Txn& txn, mail::QueueId behind,
                           const std::function<bool(mail::QueueId)>& visit) const {
  Cursor cursor(txn, kOwed);
  for (cursor.seek(id_key({behind.value + 1})); cursor.valid(); cursor.next()) {
    if (!visit({key_number<std::uint64_t>(cursor.key(), 0)})) return;
  }
}

bool QueueIndex::owes(const Txn& txn, mail::QueueId id) const { return txn.get(kOwed, id_key(id)).has_value(); }

std::optional<QueueIndex::Plan> QueueIndex::plan(const Txn& txn, std::string_view destination) const {
  const auto both = find_number(txn, plan_name(destination));
  if (!both) return std::nullopt;
  return Plan{static_cast<std::int64_t>(*both >> 32) * 1000, static_cast<std::int64_t>(*both & 0xFFFFFFFF) * 1000};
}

base::Status QueueIndex::put_plan(WriteTxn& txn, std::string_view destination, const Plan& plan) {
  const auto seconds = [](std::int64_t ms) { return static_cast<std::uint64_t>(ms / 1000) & 0xFFFFFFFF; };
  return put_number(txn, plan_name(destination), seconds(plan.lifetime_ms) << 32 | seconds(plan.warn_ms));
}

base::Status QueueIndex::put_owed(WriteTxn& txn, mail::QueueId id) { return txn.put(kOwed, id_key(id), ""); }
base::Status QueueIndex::erase_owed(WriteTxn& txn, mail::QueueId id) { return txn.erase(kOwed, id_key(id)); }

base::Status QueueIndex::count_in(WriteTxn& txn, std::string_view name, const MessageRow& row, int sign) {
  Counter total = counter(txn, name);
  add_to(share_of(total, row.state), 1, sign);
  add_to(total.bytes, row.size, sign);
  if (row.unfiltered) total.unfiltered = sign > 0 ? total.unfiltered + 1 : total.unfiltered - std::min<std::uint64_t>(total.unfiltered, 1);
  // Whoever sends to us once must not stay for ever.
  if (total == Counter{} && !name.empty()) return txn.erase(kCounter, Key().name(name));
  return put_row(txn, kCounter, Key().name(name), total);
}

base::Status QueueIndex::count(WriteTxn& txn, const MessageRow& row, int sign) {
  for (const std::string_view name : {std::string_view(row.destination), std::string_view()}) {
    if (auto done = count_in(txn, name, row, sign); !done) return done;
    if (row.destination.empty()) break;
  }
  for (const auto& domain : row.domains) {
    if (auto done = count_in(txn, domain_counter_name(domain), row, sign); !done) return done;
  }
  return {};
}

base::Status QueueIndex::count_record(WriteTxn& txn, const MessageRow& row, int sign) {
  const SegmentId id{row.record.writer, row.record.segment};
  SegmentRow segment_row = segment(txn, id).value_or(SegmentRow{});
  add_to(segment_row.live_records, 1, sign);
  add_to(segment_row.live_bytes, padded(row.record.length), sign);
  return put_segment(txn, id, segment_row);
}

base::Status QueueIndex::put_order(WriteTxn& txn, mail::QueueId id, const MessageRow& row) {
  const Waiting waiting{row.state, row.size, row.last_attempt_ms, row.due_ms};
  if (auto done = txn.put(kArrival, arrival_key(row.arrival_ms, id), ""); !done) return done;
  if (const auto deadline = deadline_ms(row); deadline > 0) {
    if (auto done = txn.put(kDeadline, arrival_key(deadline, id), ""); !done) return done;
  }
  const Key place = place_key(row.destination, {row.arrival_ms, id});
  if (auto done = put_row(txn, kByDestination, place, waiting); !done) return done;
  if (row.state != MessageState::kDeferred) return {};
  return txn.put(kDue, place_key(row.destination, {row.due_ms, id}), "");
}

base::Status QueueIndex::erase_order(WriteTxn& txn, mail::QueueId id, const MessageRow& row) {
  if (auto done = txn.erase(kArrival, arrival_key(row.arrival_ms, id)); !done) return done;
  if (const auto deadline = deadline_ms(row); deadline > 0) {
    if (auto done = txn.erase(kDeadline, arrival_key(deadline, id)); !done) return done;
  }
  if (auto done = txn.erase(kByDestination, place_key(row.destination, {row.arrival_ms, id})); !done) return done;
  return txn.erase(kDue, place_key(row.destination, {row.due_ms, id}));
}

base::Status QueueIndex::add(WriteTxn& txn, mail::QueueId id, const MessageRow& row,
                             const std::vector<RecipientState>& recipients_of_it) {
  if (const auto old = message(txn, id)) {
    if (old->generation >= row.generation) return {};
    if (auto done = remove(txn, id); !done) return done;
  }
  if (auto done = put_row(txn, kMessage, id_key(id), row); !done) return done;
  for (std::uint32_t i = 0; i < recipients_of_it.size(); ++i) {
    if (auto done = put_recipient(txn, id, i, recipients_of_it[i]); !done) return done;
  }
  if (auto done = put_order(txn, id, row); !done) return done;
  if (auto done = count(txn, row, 1); !done) return done;
  return count_record(txn, row, 1);
}

base::Status QueueIndex::update(WriteTxn& txn, mail::QueueId id, const MessageRow& row) {
  const auto old = message(txn, id);
  base::expect(old.has_value(), "update of a message that is not there");
  base::expect(old->record == row.record, "a row moved to another record");
  if (auto done = erase_order(txn, id, *old); !done) return done;
  if (auto done = put_row(txn, kMessage, id_key(id), row); !done) return done;
  if (auto done = put_order(txn, id, row); !done) return done;
  if (old->state == row.state && old->destination == row.destination && old->size == row.size &&
      old->domains == row.domains && old->unfiltered == row.unfiltered) {
    return {};
  }
  if (auto done = count(txn, *old, -1); !done) return done;
  return count(txn, row, 1);
}

base::Status QueueIndex::put_recipient(WriteTxn& txn, mail::QueueId id, std::uint32_t index,
                                       const RecipientState& recipient) {
  return put_row(txn, kRecipient, recipient_key(id, index), recipient);
}

base::Status QueueIndex::remove(WriteTxn& txn, mail::QueueId id) {
  const auto row = message(txn, id);
  if (!row) return {};
  const auto count_of_recipients = recipients(txn, id).size();
  for (std::uint32_t i = 0; i < count_of_recipients; ++i) {
    if (auto done = txn.erase(kRecipient, recipient_key(id, i)); !done) return done;
  }
  if (auto done = erase_order(txn, id, *row); !done) return done;
  if (auto done = erase_owed(txn, id); !done) return done;
  if (auto done = txn.erase(kMessage, id_key(id)); !done) return done;
  if (auto done = count(txn, *row, -1); !done) return done;
  return count_record(txn, *row, -1);
}

base::Status QueueIndex::put_segment(WriteTxn& txn, SegmentId id, const SegmentRow& row) {
  return put_row(txn, kSegment, segment_key(id), row);
}

base::Status QueueIndex::erase_segment(WriteTxn& txn, SegmentId id) { return txn.erase(kSegment, segment_key(id)); }

}  // namespace holdfast::storage
