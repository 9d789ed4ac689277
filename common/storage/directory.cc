#include "common/storage/directory.h"

#include "common/base/codec.h"
#include "common/base/panic.h"
#include "common/base/siphash.h"
#include "common/storage/keys.h"

namespace holdfast::storage {
namespace {

enum : Table { kDestination, kDomain, kRecipient, kByDomain, kLearntCount };
const std::vector<std::string> kTables{"destination", "domain", "recipient", "by_domain", "learnt_count"};

// What the admin said is never the oldest of its domain.
constexpr std::int64_t kNeverOldest = INT64_MAX;

template <class Row>
std::optional<Row> find(const Txn& txn, Table table, std::string_view key) {
  const auto bytes = txn.get(table, key);
  if (!bytes) return std::nullopt;
  auto row = base::decode<Row>(*bytes);
  base::expect(row.has_value(), "a row of the directory cannot be read");
  return row;
}

std::string_view domain_of(std::string_view key) {
  const auto at = key.rfind('@');
  return at == std::string_view::npos ? std::string_view() : key.substr(at + 1);
}

// Domain and recipient together may be longer than a key: the domain stands there as its hash, and what
// is found is compared with the recipient's own domain.
std::uint64_t domain_hash(std::string_view domain) { return base::siphash({0, 0}, domain); }

bool learnt(const RecipientRow& row) { return row.source == RecipientSource::kLearnt; }

Key by_domain_key(std::string_view key, const RecipientRow& row) {
  return Key().number(domain_hash(domain_of(key))).time(learnt(row) ? row.verified_ms : kNeverOldest).raw(key);
}

constexpr std::size_t kByDomainPrefix = 16;

template <class Row>
void each(const Txn& txn, Table table, std::string_view after,
          const std::function<bool(std::string_view, const Row&)>& visit) {
  Cursor cursor(txn, table);
  cursor.seek(after);
  if (cursor.valid() && !after.empty() && cursor.key() == after) cursor.next();
  for (; cursor.valid(); cursor.next()) {
    const auto row = base::decode<Row>(cursor.value());
    base::expect(row.has_value(), "a row of the directory cannot be read");
    if (!visit(cursor.key(), *row)) return;
  }
}

base::Status count_learnt(WriteTxn& txn, std::string_view domain, std::uint64_t count) {
  if (count == 0) return txn.erase(kLearntCount, domain);
  return txn.put(kLearntCount, domain, Key().number(count));
}

}  // namespace

std::string Directory::folder(const std::string& state_folder) { return state_folder + "/directory"; }

base::Result<std::unique_ptr<Directory>> Directory::open(const std::string& state_folder, EnvOptions options) {
  auto env = Env::open(folder(state_folder), kTables, options);
  if (!env) return std::unexpected(env.error());
  auto directory = std::make_unique<Directory>();
  directory->env_ = std::move(*env);
  return directory;
}

std::optional<DestinationRow> Directory::destination(const Txn& txn, std::string_view name) const {
  return find<DestinationRow>(txn, kDestination, name);
}

std::optional<DomainRow> Directory::domain(const Txn& txn, std::string_view name) const {
  return find<DomainRow>(txn, kDomain, name);
}

std::optional<RecipientRow> Directory::recipient(const Txn& txn, std::string_view key) const {
  if (key.empty() || key.size() > kMaxRecipientKey) return std::nullopt;
  return find<RecipientRow>(txn, kRecipient, key);
}

void Directory::each_destination(const Txn& txn,
                                 const std::function<bool(std::string_view, const DestinationRow&)>& visit) const {
  each<DestinationRow>(txn, kDestination, {}, visit);
}

void Directory::each_domain(const Txn& txn,
                            const std::function<bool(std::string_view, const DomainRow&)>& visit) const {
  each<DomainRow>(txn, kDomain, {}, visit);
}

void Directory::each_recipient(const Txn& txn, std::string_view after,
                               const std::function<bool(std::string_view, const RecipientRow&)>& visit) const {
  each<RecipientRow>(txn, kRecipient, after, visit);
}

void Directory::each_recipient_of(const Txn& txn, std::string_view domain,
                                  const std::function<bool(std::string_view, const RecipientRow&)>& visit) const {
  const Key prefix = Key().number(domain_hash(domain));
  Cursor cursor(txn, kByDomain);
  for (cursor.seek(prefix); cursor.valid() && cursor.key().starts_with(prefix); cursor.next()) {
    const auto key = cursor.key().substr(kByDomainPrefix);
    if (domain_of(key) != domain) continue;
    const auto row = recipient(txn, key);
    base::expect(row.has_value(), "the directory lists a recipient it does not know");
    if (!visit(key, *row)) return;
  }
}

std::uint64_t Directory::learnt_count(const Txn& txn, std::string_view domain) const {
  if (domain.empty()) return 0;
  const auto bytes = txn.get(kLearntCount, domain);
  return bytes ? key_number<std::uint64_t>(*bytes, 0) : 0;
}

base::Status Directory::put_destination(WriteTxn& txn, std::string_view name, const DestinationRow& row) {
  return txn.put(kDestination, name, base::encode(row));
}

base::Status Directory::erase_destination(WriteTxn& txn, std::string_view name) { return txn.erase(kDestination, name); }

base::Status Directory::put_domain(WriteTxn& txn, std::string_view name, const DomainRow& row) {
  return txn.put(kDomain, name, base::encode(row));
}

base::Status Directory::erase_domain(WriteTxn& txn, std::string_view name) { return txn.erase(kDomain, name); }

base::Status Directory::put_recipient(WriteTxn& txn, std::string_view key, const RecipientRow& row,
                                      std::uint64_t most) {
  if (key.size() > kMaxRecipientKey || domain_of(key).empty()) return {};
  if (auto done = erase_recipient(txn, key); !done) return done;
  if (auto done = txn.put(kRecipient, key, base::encode(row)); !done) return done;
  if (auto done = txn.put(kByDomain, by_domain_key(key, row), ""); !done) return done;
  if (!learnt(row)) return {};
  const std::string domain(domain_of(key));
  std::uint64_t count = learnt_count(txn, domain) + 1;
  if (auto done = count_learnt(txn, domain, count); !done) return done;
  for (; count > most; --count) {
    std::string oldest;
    each_recipient_of(txn, domain, [&](std::string_view found, const RecipientRow&) {
      oldest = found;
      return false;
    });
    if (auto done = erase_recipient(txn, oldest); !done) return done;
  }
  return {};
}

base::Status Directory::erase_recipient(WriteTxn& txn, std::string_view key) {
  const auto row = recipient(txn, key);
  if (!row) return {};
  if (auto done = txn.erase(kByDomain, by_domain_key(key, *row)); !done) return done;
  if (auto done = txn.erase(kRecipient, key); !done) return done;
  if (!learnt(*row)) return {};
  const auto count = learnt_count(txn, domain_of(key));
  base::expect(count > 0, "the directory's count of a domain went below zero");
  return count_learnt(txn, domain_of(key), count - 1);
}

base::Result<std::size_t> Directory::expire(WriteTxn& txn, std::string_view domain, std::int64_t now_ms,
                                            const KeepRule& rule, std::size_t limit) {
  std::vector<std::string> gone;
  each_recipient_of(txn, domain, [&](std::string_view key, const RecipientRow& row) {
    const auto of = destination(txn, row.destination);
    const bool over = learnt(row) && expires_ms(row, of ? &*of : nullptr, now_ms, rule) <= now_ms;
    if (over && gone.size() < limit) gone.emplace_back(key);
    return over && gone.size() < limit;
  });
  for (const auto& key : gone) {
    if (auto done = erase_recipient(txn, key); !done) return std::unexpected(done.error());
  }
  return gone.size();
}

}  // namespace holdfast::storage
