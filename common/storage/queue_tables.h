// Tables, keys and values of the queue's index, for queue_index.cc and what verifies or makes it anew. Nobody else
// includes this.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/codec.h"
#include "common/base/siphash.h"
#include "common/storage/keys.h"
#include "common/storage/queue_index.h"

namespace holdfast::storage::queue_tables {

enum : Table { kMessage, kRecipient, kArrival, kByDestination, kDue, kCounter, kSegment, kDeadline, kOwed, kMeta };
inline const std::vector<std::string> kTables{"message", "recipient", "arrival", "by_destination", "due",
                                             "counter", "segment",   "deadline", "owed",          "meta"};

inline constexpr std::uint64_t kVersion = 2;
inline constexpr std::string_view kVersionName = "version", kBornName = "born";
inline constexpr std::string_view kRepair =
    "stop the gateway, look with `gatewayctl queue check`, and make it anew with `gatewayctl queue rebuild`";

inline constexpr char kDomainMark = '@';  // no destination's name begins so
inline std::string domain_counter_name(std::string_view domain) { return kDomainMark + std::string(domain); }

inline Key id_key(mail::QueueId id) { return Key().number(id.value); }
inline Key recipient_key(mail::QueueId id, std::uint32_t index) { return Key().number(id.value).number(index); }
inline Key arrival_key(std::int64_t arrival_ms, mail::QueueId id) { return Key().time(arrival_ms).number(id.value); }
inline Key place_key(std::string_view destination, QueueIndex::Place p) {
  return Key().name(destination).time(p.time_ms).number(p.id.value);
}
inline Key segment_key(SegmentId id) { return Key().number(id.writer).number(id.number); }

inline QueueIndex::Place place_of(std::string_view key, std::size_t prefix) {
  return {static_cast<std::int64_t>(key_number<std::uint64_t>(key, prefix)),
          {key_number<std::uint64_t>(key, prefix + 8)}};
}

// The checksum guards against bits that flip, not against people: its key is no secret.
inline constexpr std::size_t kSumBytes = 4;
inline std::string sum_of(Table table, std::string_view key, std::string_view bytes) {
  base::SipHash hash({0x486f6c6466617374ULL, table});
  hash.update(key);
  hash.update(bytes);
  std::string out;
  base::Writer(out).number(static_cast<std::uint32_t>(hash.finish()));
  return out;
}

// The value without its checksum; nothing when that is wrong.
inline std::optional<std::string_view> sound(Table table, std::string_view key, std::string_view value) {
  if (value.size() < kSumBytes) return std::nullopt;
  const auto bytes = value.substr(0, value.size() - kSumBytes);
  if (sum_of(table, key, bytes) != value.substr(bytes.size())) return std::nullopt;
  return bytes;
}

template <class Row>
std::optional<Row> try_row(Table table, std::string_view key, std::string_view value) {
  const auto bytes = sound(table, key, value);
  if (!bytes) return std::nullopt;
  return base::decode<Row>(*bytes);
}

template <class Row>
Row row_of(const Txn& txn, Table table, std::string_view key, std::string_view value) {
  auto row = try_row<Row>(table, key, value);
  if (!row) txn.env().damaged("a row of table " + kTables[table] + " has a wrong checksum");
  return std::move(*row);
}

template <class Row>
std::optional<Row> find(const Txn& txn, Table table, std::string_view key) {
  const auto value = txn.get(table, key);
  if (!value) return std::nullopt;
  return row_of<Row>(txn, table, key, *value);
}

template <class Row>
base::Status put_row(WriteTxn& txn, Table table, std::string_view key, const Row& row) {
  std::string value = base::encode(row);
  value += sum_of(table, key, value);
  return txn.put(table, key, value);
}

struct Number {
  std::uint64_t value = 0;
  template <class V>
  void fields(V&& v) { v(value); }
};

inline std::optional<std::uint64_t> find_number(const Txn& txn, std::string_view name) {
  const auto row = find<Number>(txn, kMeta, name);
  return row ? std::optional(row->value) : std::nullopt;
}
inline base::Status put_number(WriteTxn& txn, std::string_view name, std::uint64_t value) {
  return put_row(txn, kMeta, name, Number{value});
}

}  // namespace holdfast::storage::queue_tables
