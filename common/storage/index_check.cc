#include "common/storage/index_check.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "common/storage/page_check.h"
#include "common/storage/queue_tables.h"
#include "common/storage/segment_reader.h"

namespace holdfast::storage {

using namespace queue_tables;

namespace {

constexpr std::size_t kMostTexts = 1000;
constexpr std::size_t kPage = 500;

// Walks a whole table; keys must rise, and each must be found again from the root.
template <class Visit>
void walk_table(const Txn& txn, Table table, CheckReport& report, const Visit& visit) {
  Cursor cursor(txn, table);
  std::string before;
  std::uint64_t count = 0;
  for (cursor.first(); cursor.valid(); cursor.next(), ++count) {
    if (count > 0 && cursor.key() <= std::string_view(before)) {
      report.fault(fmt::format("table {}: its keys are out of order", kTables[table]));
      return;  // it may go round for ever
    }
    before = cursor.key();
    const auto found = txn.get(table, cursor.key());
    if (!found || *found != cursor.value()) {
      report.fault(fmt::format("table {}: a key is in it but cannot be found", kTables[table]));
    }
    visit(cursor.key(), cursor.value());
  }
  if (count != txn.entries(table)) {
    report.fault(fmt::format("table {}: it holds {} entries and counts {}", kTables[table], count, txn.entries(table)));
  }
}

template <class Row>
std::optional<Row> checked(Table table, std::string_view key, std::string_view value, const std::string& what,
                           CheckReport& report) {
  auto row = try_row<Row>(table, key, value);
  if (!row) report.fault(fmt::format("{}: its row in table {} has a wrong checksum", what, kTables[table]));
  return row;
}

// Everything in the index that does not follow from messages is checked on the way, the rest is counted and compared.
class RowCheck {
 public:
  RowCheck(const Txn& txn, CheckReport& report) : txn_(txn), report_(report) {}

  void run() {
    check_meta();
    walk_table(txn_, kMessage, report_, [&](auto key, auto value) { message(key, value); });
    check_recipients();
    for (const Table table : {kArrival, kByDestination, kDue, kDeadline, kOwed}) check_order(table);
    check_counters();
    check_segments();
  }

 private:
  void check_meta() {
    walk_table(txn_, kMeta, report_, [&](auto key, auto value) {
      if (!sound(kMeta, key, value)) report_.fault("table meta: a row has a wrong checksum");
    });
  }

  void message(std::string_view key, std::string_view value) {
    ++report_.messages;
    if (key.size() != 8) {
      report_.fault("table message: a key is no queue id");
      return;
    }
    const mail::QueueId id{key_number<std::uint64_t>(key, 0)};
    const auto row = checked<MessageRow>(kMessage, key, value, id.text(), report_);
    if (!row) return;
    expect_entry(kArrival, arrival_key(row->arrival_ms, id), id);
    expect_waiting(*row, id);
    if (row->state == MessageState::kDeferred) expect_entry(kDue, place_key(row->destination, {row->due_ms, id}), id);
    if (const auto at = deadline_ms(*row); at > 0) expect_entry(kDeadline, arrival_key(at, id), id);
    if (txn_.get(kOwed, id_key(id))) ++entries_[kOwed];
    count(*row);
  }

  void expect_entry(Table table, const Key& key, mail::QueueId id) {
    ++entries_[table];
    if (!txn_.get(table, key)) report_.fault(fmt::format("{}: it is missing in table {}", id.text(), kTables[table]));
  }

  void expect_waiting(const MessageRow& row, mail::QueueId id) {
    const Key key = place_key(row.destination, {row.arrival_ms, id});
    expect_entry(kByDestination, key, id);
    const auto value = txn_.get(kByDestination, key);
    if (!value) return;
    const auto waiting = checked<Waiting>(kByDestination, key, *value, id.text(), report_);
    if (!waiting) return;
    const bool same = waiting->state == row.state && waiting->size == row.size &&
                      waiting->last_attempt_ms == row.last_attempt_ms && waiting->due_ms == row.due_ms;
    if (!same) report_.fault(fmt::format("{}: table by_destination says something else of it", id.text()));
  }

  void count(const MessageRow& row) {
    const auto add = [&](const std::string& name) {
      auto& c = counters_[name];
      (row.state == MessageState::kDeferred ? c.deferred : row.state == MessageState::kHeld ? c.held : c.frozen) += 1;
      c.bytes += row.size;
      c.unfiltered += row.unfiltered ? 1 : 0;
    };
    add("");
    if (!row.destination.empty()) add(row.destination);
    for (const auto& domain : row.domains) add(domain_counter_name(domain));
    auto& segment = segments_[{row.record.writer, row.record.segment}];
    segment.live_records += 1;
    segment.live_bytes += padded(row.record.length);
    segment.indexed_upto = std::max(segment.indexed_upto, row.record.offset + padded(row.record.length));
  }

  // Rows of one message follow each other: 0, 1, 2, …
  void check_recipients() {
    std::optional<mail::QueueId> id;
    std::uint32_t next = 0, open = 0;
    const auto end_of_message = [&] {
      if (!id) return;
      const auto row = message_row(*id);
      if (row && row->open != open) {
        report_.fault(fmt::format("{}: {} of its recipients are open, its row says {}", id->text(), open, row->open));
      }
      if (!txn_.get(kMessage, id_key(*id))) report_.fault(fmt::format("{}: it has recipients and no row", id->text()));
      ++with_recipients_;
    };
    walk_table(txn_, kRecipient, report_, [&](auto key, auto value) {
      ++report_.recipients;
      if (key.size() != 12) {
        report_.fault("table recipient: a key is none");
        return;
      }
      const mail::QueueId of{key_number<std::uint64_t>(key, 0)};
      if (of != id) {
        end_of_message();
        id = of;
        next = open = 0;
      }
      if (key_number<std::uint32_t>(key, 8) != next++) report_.fault(fmt::format("{}: a recipient is missing", of.text()));
      const auto row = checked<RecipientState>(kRecipient, key, value, of.text(), report_);
      if (row && (row->status == RecipientStatus::kOpen || row->status == RecipientStatus::kRefused)) ++open;
    });
    end_of_message();
    if (with_recipients_ < report_.messages) {
      report_.fault(fmt::format("{} messages have no recipients", report_.messages - with_recipients_));
    }
  }

  std::optional<MessageRow> message_row(mail::QueueId id) const {
    const Key key = id_key(id);
    const auto value = txn_.get(kMessage, key);
    return value ? try_row<MessageRow>(kMessage, key, *value) : std::nullopt;
  }

  void check_order(Table table) {
    std::uint64_t found = 0;
    walk_table(txn_, table, report_, [&](auto, auto value) {
      ++found;
      // Of these the message's row has checked its own one: the others are keys alone.
      if (table != kByDestination && !value.empty()) {
        report_.fault(fmt::format("table {}: an entry has a value, which none has", kTables[table]));
      }
    });
    if (found != entries_[table]) {
      report_.fault(fmt::format("table {}: {} entries, but the messages have {}", kTables[table], found, entries_[table]));
    }
  }

  void check_counters() {
    walk_table(txn_, kCounter, report_, [&](auto key, auto value) {
      const std::string name(key.substr(0, key.size() - 1));
      const auto row = checked<Counter>(kCounter, key, value, name.empty() ? "the queue" : name, report_);
      Counter expected = std::exchange(counters_[name], {});
      // What was counted before this was counted is missing in it.
      if (row) expected.unfiltered = std::min(expected.unfiltered, row->unfiltered);
      if (row && *row != expected) {
        report_.fault(fmt::format("the counter of {} says {} messages and {} bytes, there are {} and {}",
                                  name.empty() ? "all" : name, row->messages(), row->bytes, expected.messages(),
                                  expected.bytes));
      }
    });
    for (const auto& [name, counter] : counters_) {
      if (counter != Counter{}) report_.fault(fmt::format("the counter of {} is missing", name.empty() ? "all" : name));
    }
  }

  void check_segments() {
    walk_table(txn_, kSegment, report_, [&](auto key, auto value) {
      ++report_.segments;
      if (key.size() != 8) {
        report_.fault("table segment: a key is none");
        return;
      }
      const SegmentId id{key_number<std::uint32_t>(key, 0), key_number<std::uint32_t>(key, 4)};
      const auto row = checked<SegmentRow>(kSegment, key, value, id.file_name(), report_);
      const SegmentRow expected = std::exchange(segments_[id], {});
      if (row) compare(id, *row, expected);
    });
    for (const auto& [id, expected] : segments_) {
      if (expected.live_records > 0) report_.fault(fmt::format("{}: the segment has no row", id.file_name()));
    }
  }

  void compare(SegmentId id, const SegmentRow& row, const SegmentRow& expected) {
    if (row.live_records != expected.live_records || row.live_bytes != expected.live_bytes) {
      report_.fault(fmt::format("{}: its row says {} live records of {} bytes, there are {} of {}", id.file_name(),
                                row.live_records, row.live_bytes, expected.live_records, expected.live_bytes));
    }
    if (row.indexed_upto < expected.indexed_upto) {
      report_.fault(fmt::format("{}: messages lie behind its mark", id.file_name()));
    }
    if (row.state == SegmentState::kDead && expected.live_records > 0) {
      report_.fault(fmt::format("{}: it is marked dead and has live records", id.file_name()));
    }
  }

  const Txn& txn_;
  CheckReport& report_;
  std::map<Table, std::uint64_t> entries_;  // that the messages must have in each order
  std::map<std::string, Counter> counters_;
  std::map<SegmentId, SegmentRow> segments_;
  std::uint64_t with_recipients_ = 0;
};

// Every message's record, by pages with a view each.
class RecordCheck {
 public:
  RecordCheck(QueueIndex& index, const std::string& spool, const CheckOptions& options, CheckReport& report)
      : folder_(segments_folder(spool)), options_(options), report_(report), txn_(index.env()) {}

  base::Status run() {
    std::optional<mail::QueueId> behind;
    for (;;) {
      const auto page = read_page(behind);
      if (!page) return std::unexpected(page.error());
      if (page->empty()) return {};
      for (const auto& [id, row] : *page) check(id, row);
      behind = page->back().first;
    }
  }

 private:
  using Page = std::vector<std::pair<mail::QueueId, MessageRow>>;

  base::Result<Page> read_page(std::optional<mail::QueueId> behind) {
    const ReadTxn::View view(txn_);
    if (!view) return std::unexpected(view.error());
    Page page;
    Cursor cursor(txn_, kMessage);
    if (behind) {
      cursor.seek(id_key({behind->value + 1}));
    } else {
      cursor.first();
    }
    for (; cursor.valid() && page.size() < kPage; cursor.next()) {
      auto row = try_row<MessageRow>(kMessage, cursor.key(), cursor.value());
      const mail::QueueId id{key_number<std::uint64_t>(cursor.key(), 0)};
      page.emplace_back(id, row ? std::move(*row) : MessageRow{});  // what is damaged was told of by check_rows()
    }
    return page;
  }

  void check(mail::QueueId id, const MessageRow& row) {
    if (row.record.length == 0) return;
    const auto fault = fault_of(id, row);
    if (fault && still_there(id, row)) {
      report_.fault(fmt::format("{}: {}: {}", id.text(), SegmentId{row.record.writer, row.record.segment}.file_name(), *fault));
    } else if (!fault) {
      ++report_.records;
    }
  }

  std::optional<std::string> fault_of(mail::QueueId id, const MessageRow& row) const {
    const auto record = Record::open(folder_, row.record, id, row.generation);
    if (!record) return record.error().text;
    if (record->content_size() != row.size) return "its size is another";
    if (!options_.contents) return std::nullopt;
    const auto sound = record->verify();
    return sound ? std::nullopt : std::optional(sound.error().text);
  }

  // Delivered or moved meanwhile, and its segment reclaimed.
  bool still_there(mail::QueueId id, const MessageRow& row) {
    const ReadTxn::View view(txn_);
    if (!view) return true;
    const Key key = id_key(id);
    const auto value = txn_.get(kMessage, key);
    const auto now = value ? try_row<MessageRow>(kMessage, key, *value) : std::nullopt;
    return now && now->record == row.record;
  }

  const std::string folder_;
  const CheckOptions options_;
  CheckReport& report_;
  ReadTxn txn_;
};

}  // namespace

void CheckReport::fault(std::string text) {
  ++faults;
  if (texts.size() < kMostTexts) texts.push_back(std::move(text));
}

void check_rows(const Txn& txn, CheckReport& report) {
  const auto before = report.faults;
  const auto looked = check_pages(txn.env(), [&](std::string text) { report.fault("index: " + std::move(text)); });
  if (!looked) report.fault("index: its pages cannot be checked: " + looked.error().text);
  // A tree that is damaged may be one that cannot be walked.
  if (report.faults == before) RowCheck(txn, report).run();
}

base::Status check_records(QueueIndex& index, const std::string& spool, const CheckOptions& options,
                           CheckReport& report) {
  return RecordCheck(index, spool, options, report).run();
}

}  // namespace holdfast::storage
