#include "common/storage/lmdb.h"

#include <cerrno>

#include <lmdb.h>

#include "common/base/file.h"
#include "common/base/panic.h"

namespace holdfast::storage {
namespace {

constexpr unsigned kReaders = 1024;
constexpr std::size_t kMaxKey = 511;

std::unexpected<base::Error> fail_lmdb(std::string_view what, int code) {
  if (code == MDB_MAP_FULL) return base::fail(base::Kind::kNoSpace, std::string(what) + ": the database's map is full");
  if (code == MDB_READERS_FULL) return base::fail(base::Kind::kTemporary, std::string(what) + ": too many readers");
  if (code > 0) return base::fail_errno(what, code);
  return base::fail(base::Kind::kInternal, std::string(what) + ": " + mdb_strerror(code));
}

[[noreturn]] void damaged(std::string_view what, int code) {
  base::panic(std::string(what) + ": " + mdb_strerror(code));
}

MDB_val to_val(std::string_view s) { return {s.size(), const_cast<char*>(s.data())}; }
std::string_view to_view(const MDB_val& v) { return {static_cast<const char*>(v.mv_data), v.mv_size}; }

// Handles last as long as the environment if the transaction that opened them is committed.
base::Result<std::vector<unsigned>> open_tables(MDB_env* env, const std::vector<std::string>& names, bool read_only) {
  MDB_txn* txn = nullptr;
  if (const int rc = mdb_txn_begin(env, nullptr, read_only ? MDB_RDONLY : 0, &txn); rc != 0) {
    return fail_lmdb("open database", rc);
  }
  std::vector<unsigned> tables;
  for (const auto& name : names) {
    MDB_dbi handle = 0;
    const int rc = mdb_dbi_open(txn, name.c_str(), read_only ? 0 : MDB_CREATE, &handle);
    if (rc != 0) {
      mdb_txn_abort(txn);
      if (rc == MDB_NOTFOUND) return base::fail(base::Kind::kNotFound, "table " + name + " does not exist yet");
      return fail_lmdb("open table " + name, rc);
    }
    tables.push_back(handle);
  }
  if (const int rc = mdb_txn_commit(txn); rc != 0) return fail_lmdb("open database", rc);
  return tables;
}

}  // namespace

base::Result<std::unique_ptr<Env>> Env::open(const std::string& folder, const std::vector<std::string>& tables,
                                             EnvOptions options) {
  if (!options.read_only) {
    if (auto made = base::make_folders(folder); !made) return std::unexpected(made.error());
  }
  std::unique_ptr<Env> env(new Env);
  if (const int rc = mdb_env_create(&env->env_); rc != 0) return fail_lmdb("make environment", rc);
  mdb_env_set_mapsize(env->env_, options.map_bytes);
  mdb_env_set_maxreaders(env->env_, kReaders);
  mdb_env_set_maxdbs(env->env_, static_cast<MDB_dbi>(tables.size()));
  const unsigned flags = MDB_NOTLS | MDB_NORDAHEAD | (options.read_only ? MDB_RDONLY : 0U);
  if (const int rc = mdb_env_open(env->env_, folder.c_str(), flags, 0640); rc != 0) return fail_lmdb(folder, rc);
  auto handles = open_tables(env->env_, tables, options.read_only);
  if (!handles) return std::unexpected(handles.error());
  env->tables_ = std::move(*handles);
  return env;
}

Env::~Env() {
  if (env_ != nullptr) mdb_env_close(env_);
}

void Env::clear_stale_readers() {
  int dead = 0;
  mdb_reader_check(env_, &dead);
}

unsigned Env::handle(Table table) const {
  base::expect(table < tables_.size(), "no such table");
  return tables_[table];
}

std::optional<std::string_view> Txn::get(Table table, std::string_view key) const {
  if (key.empty() || key.size() > kMaxKey) return std::nullopt;
  MDB_val k = to_val(key), v{};
  const int rc = mdb_get(txn_, env_.handle(table), &k, &v);
  if (rc == MDB_NOTFOUND) return std::nullopt;
  if (rc != 0) damaged("read database", rc);
  return to_view(v);
}

std::uint64_t Txn::entries(Table table) const {
  MDB_stat stat{};
  if (const int rc = mdb_stat(txn_, env_.handle(table), &stat); rc != 0) damaged("read database", rc);
  return stat.ms_entries;
}

ReadTxn::~ReadTxn() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
}

base::Status ReadTxn::renew() {
  if (open_) reset();
  const int rc = txn_ == nullptr ? mdb_txn_begin(env_.raw(), nullptr, MDB_RDONLY, &txn_) : mdb_txn_renew(txn_);
  if (rc != 0) return fail_lmdb("read database", rc);
  open_ = true;
  return {};
}

void ReadTxn::reset() {
  if (open_) mdb_txn_reset(txn_);
  open_ = false;
}

base::Result<std::unique_ptr<WriteTxn>> WriteTxn::begin(Env& env) {
  std::unique_ptr<WriteTxn> txn(new WriteTxn(env));
  const int rc = mdb_txn_begin(env.raw(), nullptr, 0, &txn->txn_);
  if (rc == MDB_PANIC) damaged("write database", rc);  // LMDB wants to be opened again: so do we, by a restart
  if (rc != 0) return fail_lmdb("write database", rc);
  return txn;
}

WriteTxn::~WriteTxn() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
}

base::Status WriteTxn::put(Table table, std::string_view key, std::string_view value) {
  MDB_val k = to_val(key), v = to_val(value);
  if (const int rc = mdb_put(txn_, env_.handle(table), &k, &v, 0); rc != 0) return fail_lmdb("write database", rc);
  return {};
}

base::Status WriteTxn::erase(Table table, std::string_view key) {
  MDB_val k = to_val(key);
  const int rc = mdb_del(txn_, env_.handle(table), &k, nullptr);
  if (rc != 0 && rc != MDB_NOTFOUND) return fail_lmdb("write database", rc);
  return {};
}

base::Status WriteTxn::commit() {
  MDB_txn* txn = std::exchange(txn_, nullptr);  // gone, whatever comes of it
  if (const int rc = mdb_txn_commit(txn); rc != 0) return fail_lmdb("commit", rc);
  return {};
}

Cursor::Cursor(const Txn& txn, Table table) {
  if (const int rc = mdb_cursor_open(txn.raw(), txn.env().handle(table), &cursor_); rc != 0) {
    damaged("read database", rc);
  }
}

Cursor::~Cursor() { mdb_cursor_close(cursor_); }

bool Cursor::move(int operation, std::string_view key) {
  MDB_val k = to_val(key), v{};
  const int rc = mdb_cursor_get(cursor_, &k, &v, static_cast<MDB_cursor_op>(operation));
  if (rc != 0 && rc != MDB_NOTFOUND) damaged("read database", rc);
  valid_ = rc == 0;
  key_ = valid_ ? to_view(k) : std::string_view();
  value_ = valid_ ? to_view(v) : std::string_view();
  return valid_;
}

bool Cursor::first() { return move(MDB_FIRST); }
bool Cursor::last() { return move(MDB_LAST); }
bool Cursor::seek(std::string_view key) { return key.empty() ? first() : move(MDB_SET_RANGE, key); }
bool Cursor::next() { return move(MDB_NEXT); }
bool Cursor::previous() { return move(MDB_PREV); }

}  // namespace holdfast::storage
