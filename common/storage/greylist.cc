#include "common/storage/greylist.h"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/storage/keys.h"

namespace holdfast::storage {
namespace {

enum : Table { kMeta, kRow, kByEnd };
const std::vector<std::string> kTables{"meta", "row", "by_end"};

// The same for all who open it: address space, of which the bound on entries lets 10 GiB be used at most.
constexpr std::uint64_t kMapBytes = 16ULL << 30;
constexpr std::string_view kSecret = "secret";
constexpr std::size_t kPrunedAtOnce = 2;

constexpr std::size_t kRowBytes = 1 + 1 + 16 + 4 + 4 + 4;

std::string encode(const GreyRow& row) {
  Key out;
  out.number(static_cast<std::uint8_t>(row.kind)).number(static_cast<std::uint8_t>(row.network.bits));
  out.raw({reinterpret_cast<const char*>(row.network.first.octets.data()), row.network.first.octets.size()});
  out.number(row.first_s).number(row.end_s).number(row.count);
  return out.text();
}

// A row that is none counts as not there.
std::optional<GreyRow> decode(std::string_view bytes) {
  if (bytes.size() != kRowBytes) return std::nullopt;
  GreyRow row{.kind = static_cast<GreyRow::Kind>(bytes[0])};
  if (row.kind < GreyRow::Kind::kWaiting || row.kind > GreyRow::Kind::kByHand) return std::nullopt;
  row.network.bits = static_cast<std::uint8_t>(bytes[1]);
  for (std::size_t i = 0; i < 16; ++i) row.network.first.octets[i] = static_cast<std::uint8_t>(bytes[2 + i]);
  row.first_s = key_number<std::uint32_t>(bytes, 18);
  row.end_s = key_number<std::uint32_t>(bytes, 22);
  row.count = key_number<std::uint32_t>(bytes, 26);
  return row;
}

std::string by_end(const GreyRow& row, std::string_view key) { return Key().number(row.end_s).raw(key).text(); }

// Several workers start at once: one makes it. Given back with the descriptor.
base::Result<base::UniqueFd> birth_lock(const std::string& folder) {
  if (auto made = base::make_folders(folder); !made) return std::unexpected(made.error());
  const std::string name = folder + "/birth";
  base::UniqueFd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!fd || ::flock(fd.get(), LOCK_EX) != 0) return base::fail_errno(name, errno);
  return fd;
}

void take_away(const std::string& folder) {
  std::error_code error;
  for (const char* name : {"/data.mdb", "/lock.mdb"}) std::filesystem::remove(folder + name, error);
}

}  // namespace

base::Result<std::unique_ptr<Greylist>> Greylist::open(const std::string& state_folder, bool read_only) {
  const std::string where = folder(state_folder);
  auto out = std::make_unique<Greylist>();
  base::UniqueFd lock;
  if (!read_only) {
    auto taken = birth_lock(where);
    if (!taken) return std::unexpected(taken.error());
    lock = std::move(*taken);
  }
  const EnvOptions options{.read_only = read_only, .map_bytes = kMapBytes, .disposable = true, .repair = "it is made anew"};
  auto env = Env::open(where, kTables, options);
  if (!env && !read_only && env.error().kind == base::Kind::kData) {
    base::log().warning("greylisting begins anew: " + env.error().text);
    take_away(where);
    env = Env::open(where, kTables, options);
  }
  if (!env) return std::unexpected(env.error());
  out->env_ = std::move(*env);
  if (!read_only) out->env_->clear_stale_readers();
  if (auto made = out->make_secret(); !made) return std::unexpected(made.error());
  return out;
}

base::Status Greylist::make_secret() {
  std::string bytes;
  {
    ReadTxn txn(*env_);
    const ReadTxn::View view(txn);
    if (!view) return std::unexpected(view.error());
    bytes = txn.get(kMeta, kSecret).value_or("");
  }
  if (bytes.size() != 16) {
    bytes = Key().number(base::random_number()).number(base::random_number()).text();
    auto txn = WriteTxn::begin(*env_);
    if (!txn) return std::unexpected(txn.error());
    if (auto put = (*txn)->put(kMeta, kSecret, bytes); !put) return put;
    if (auto done = (*txn)->commit(); !done) return done;
  }
  secret_ = {key_number<std::uint64_t>(bytes, 0), key_number<std::uint64_t>(bytes, 8)};
  return {};
}

std::string Greylist::triplet_key(const base::Network& client, std::string_view sender, std::string_view recipient) const {
  base::SipHash hash(secret_);
  hash.update("t");
  hash.update({reinterpret_cast<const char*>(client.first.octets.data()), client.first.octets.size()});
  hash.update(sender);
  hash.update(std::string_view("\0", 1));
  hash.update(recipient);
  return Key().number(hash.finish()).text();
}

std::string Greylist::network_key(const base::Network& network) const {
  base::SipHash hash(secret_);
  hash.update("n");
  hash.update({reinterpret_cast<const char*>(network.first.octets.data()), network.first.octets.size()});
  return Key().number(hash.finish()).text();
}

std::optional<GreyRow> Greylist::find(const Txn& txn, std::string_view key) const {
  const auto bytes = txn.get(kRow, key);
  return bytes ? decode(*bytes) : std::nullopt;
}

std::uint64_t Greylist::entries(const Txn& txn) const { return txn.entries(kRow); }

void Greylist::each(const Txn& txn, std::uint32_t now_s, const std::function<bool(std::string_view, const GreyRow&)>& visit) const {
  Cursor cursor(txn, kByEnd);
  for (cursor.seek(Key().number(now_s + 1)); cursor.valid(); cursor.next()) {
    const auto key = cursor.key().substr(4);
    if (const auto row = find(txn, key); row && !visit(key, *row)) return;
  }
}

base::Status Greylist::write(WriteTxn& txn, std::string_view key, const GreyRow& row) const {
  if (const auto old = find(txn, key); old && old->end_s != row.end_s) {
    if (auto done = txn.erase(kByEnd, by_end(*old, key)); !done) return done;
  }
  if (auto done = txn.put(kRow, key, encode(row)); !done) return done;
  return txn.put(kByEnd, by_end(row, key), "");
}

base::Status Greylist::note(WriteTxn& txn, std::string_view triplet_key, std::string_view network_key, const GreyJudgement& judgement,
                            std::uint32_t now_s, std::uint64_t most) const {
  auto network = judgement.network;
  if (network && judgement.word == GreyWord::kPassed) {
    const auto before = find(txn, triplet_key);
    if (before && before->kind == GreyRow::Kind::kPassed && before->end_s > now_s) network->count = 0;
  }
  if (judgement.triplet) {
    if (auto done = put(txn, triplet_key, *judgement.triplet, now_s, most); !done) return done;
  }
  return network ? put(txn, network_key, *network, now_s, most) : base::Status{};
}

base::Status Greylist::put(WriteTxn& txn, std::string_view key, const GreyRow& row, std::uint32_t now_s, std::uint64_t most) const {
  const auto old = find(txn, key);
  const bool holds = old && old->end_s > now_s;
  GreyRow now = row;
  if (holds && row.kind == GreyRow::Kind::kWaiting && old->first_s <= row.first_s) return {};
  if (holds && old->kind == GreyRow::Kind::kByHand && row.kind != GreyRow::Kind::kByHand) return {};
  if (holds && row.kind == GreyRow::Kind::kNetwork) {
    now.count += old->count;
    now.first_s = old->first_s;
  }
  if (auto done = write(txn, key, now); !done) return done;
  return prune(txn, now_s, most);
}

base::Status Greylist::erase(WriteTxn& txn, std::string_view key) const {
  const auto old = find(txn, key);
  if (!old) return txn.erase(kRow, key);
  if (auto done = txn.erase(kByEnd, by_end(*old, key)); !done) return done;
  return txn.erase(kRow, key);
}

base::Status Greylist::prune(WriteTxn& txn, std::uint32_t now_s, std::uint64_t most) const {
  for (std::size_t i = 0; i < kPrunedAtOnce; ++i) {
    const bool too_many = txn.entries(kRow) > most || txn.nearly_full();
    std::string first;
    {
      Cursor cursor(txn, kByEnd);
      if (!cursor.first()) return {};
      if (!too_many && key_number<std::uint32_t>(cursor.key(), 0) > now_s) return {};
      first = cursor.key();
    }
    if (auto done = txn.erase(kByEnd, first); !done) return done;
    if (auto done = txn.erase(kRow, first.substr(4)); !done) return done;
  }
  return {};
}

}  // namespace holdfast::storage
