#include "common/storage/lmdb.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>

#include <lmdb.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/panic.h"
#include "common/storage/lmdb_birth.h"
#include "common/storage/space.h"

namespace holdfast::storage {
namespace {

constexpr unsigned kReaders = 1024;
constexpr std::size_t kMaxKey = 511;
constexpr std::uint64_t kMostHeadroom = 256ULL << 20;
constexpr std::uint64_t kMostAtOnce = 1 << 20;  // LMDB writes 64 pages in one call
constexpr MDB_dbi kFreeTable = 0;  // LMDB's own list of free pages

// What LMDB says when it reads what it has not written. MDB_PANIC is none of these: the disk has failed it, and it
// wants to be opened again.
bool means_damage(int code) {
  constexpr std::array kCodes{MDB_CORRUPTED,     MDB_PAGE_NOTFOUND, MDB_INVALID,  MDB_VERSION_MISMATCH,
                              MDB_INCOMPATIBLE, MDB_CURSOR_FULL,   MDB_PAGE_FULL, MDB_BAD_DBI};
  return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

std::unexpected<base::Error> fail_lmdb(std::string_view what, int code) {
  if (code == MDB_MAP_FULL) return base::fail(base::Kind::kNoSpace, std::string(what) + ": the database's map is full");
  if (code == MDB_READERS_FULL) return base::fail(base::Kind::kTemporary, std::string(what) + ": too many readers");
  if (means_damage(code)) return base::fail(base::Kind::kData, std::string(what) + ": " + mdb_strerror(code));
  if (code > 0) return base::fail_errno(what, code);
  return base::fail(base::Kind::kInternal, std::string(what) + ": " + mdb_strerror(code));
}

// The disk has failed LMDB in the middle of its last page: only who opens it anew may go on.
[[noreturn]] void start_again(std::string_view what, int code) {
  base::log().error(std::string(what) + ": " + mdb_strerror(code) + ": ending, to open the database again");
  std::_Exit(base::exit_code(base::Kind::kTemporary));
}

[[noreturn]] void fail_hard(const Env& env, std::string_view what, int code) {
  if (code == MDB_PANIC || code == EIO) start_again(what, code);
  env.damaged(std::string(what) + ": " + mdb_strerror(code));
}

// LMDB says EIO also of a write that fell short, and so does each try on a disk that has room for the first of its
// pages and not for the last (mdb_page_flush()): what it is the disk tells when it is asked again.
std::unexpected<base::Error> fail_write(const Env& env, std::string_view what, int code) {
  if (means_damage(code) || code == MDB_PANIC) fail_hard(env, what, code);
  if (code == EIO) {
    const auto room = try_room(env.folder(), kMostAtOnce);
    if (!room && room.error().kind == base::Kind::kNoSpace) code = ENOSPC;
  }
  return fail_lmdb(what, code);
}

// The maps of this process, for the handler of a fault inside one of them. The fault is synchronous, in a thread
// that holds no lock of ours while it reads a map: the handler may do what any code may.
struct Map {
  std::atomic<const char*> begin{nullptr}, end{nullptr};
  std::atomic<const Env*> env{nullptr};
};
std::array<Map, 16> g_maps;
struct sigaction g_before_segv, g_before_bus;

void on_fault(int number, siginfo_t* info, void*) {
  const auto* at = static_cast<const char*>(info->si_addr);
  for (const auto& map : g_maps) {
    const Env* env = map.env;
    if (env != nullptr && at >= map.begin && at < map.end) env->damaged("read database: no page is there");
  }
  ::sigaction(number, number == SIGBUS ? &g_before_bus : &g_before_segv, nullptr);  // and it happens again
}

// Where the kernel has put a file's map; LMDB does not tell.
std::pair<const char*, const char*> map_of(const std::string& path) {
  std::error_code ec;
  const std::string real = std::filesystem::canonical(path, ec).string();
  std::ifstream maps("/proc/self/maps");
  for (std::string line; !ec && std::getline(maps, line);) {
    if (!line.ends_with(" " + real)) continue;
    std::uintptr_t begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%zx-%zx", &begin, &end) != 2) continue;
    return {reinterpret_cast<const char*>(begin), reinterpret_cast<const char*>(end)};
  }
  return {nullptr, nullptr};
}

void watch_map(const Env& env, const std::string& folder) {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    ::sigaction(SIGSEGV, &action, &g_before_segv);
    ::sigaction(SIGBUS, &action, &g_before_bus);
  });
  const auto [begin, end] = map_of(folder + "/data.mdb");
  for (auto& map : g_maps) {
    const Env* none = nullptr;
    if (!map.env.compare_exchange_strong(none, &env)) continue;
    map.begin = begin;
    map.end = end;
    return;
  }
}

void unwatch_map(const Env& env) {
  for (auto& map : g_maps) {
    if (map.env != &env) continue;
    map.begin = map.end = nullptr;
    map.env = nullptr;
  }
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
    if (auto made = make_database(folder); !made) return std::unexpected(made.error());
  }
  std::unique_ptr<Env> env(new Env);
  env->folder_ = folder;
  env->options_ = options;
  if (const int rc = mdb_env_create(&env->env_); rc != 0) return fail_lmdb("make environment", rc);
  mdb_env_set_userctx(env->env_, env.get());
  mdb_env_set_assert(env->env_, [](MDB_env* raw, const char* text) {
    static_cast<const Env*>(mdb_env_get_userctx(raw))->damaged(text);
  });
  mdb_env_set_mapsize(env->env_, options.map_bytes);
  mdb_env_set_maxreaders(env->env_, kReaders);
  mdb_env_set_maxdbs(env->env_, static_cast<MDB_dbi>(tables.size()));
  const unsigned flags = MDB_NOTLS | MDB_NORDAHEAD | (options.read_only ? MDB_RDONLY : 0U);
  const auto advise = [&](base::Error error) {
    if (error.kind == base::Kind::kData && !options.repair.empty()) error.text += "; " + std::string(options.repair);
    return std::unexpected(std::move(error));
  };
  if (const int rc = mdb_env_open(env->env_, folder.c_str(), flags, 0640); rc != 0) {
    return advise(fail_lmdb(folder, rc).error());
  }
  watch_map(*env, folder);
  auto handles = open_tables(env->env_, tables, options.read_only);
  if (!handles) return advise(handles.error());
  env->tables_ = std::move(*handles);
  return env;
}

Env::~Env() {
  unwatch_map(*this);
  if (env_ != nullptr) mdb_env_close(env_);
}

void Env::damaged(std::string_view what) const {
  if (options_.disposable && !options_.read_only) {
    for (const char* name : {"/data.mdb", "/lock.mdb"}) ::unlink((folder_ + name).c_str());
  }
  base::panic("the database in " + folder_ + " is damaged: " + std::string(what) +
              (options_.repair.empty() ? "" : "; " + std::string(options_.repair)));
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
  if (rc != 0) fail_hard(env_, "read database", rc);
  return to_view(v);
}

std::uint64_t Txn::entries(Table table) const {
  MDB_stat stat{};
  if (const int rc = mdb_stat(txn_, env_.handle(table), &stat); rc != 0) fail_hard(env_, "read database", rc);
  return stat.ms_entries;
}

// Counted by the trees, since a file's end says nothing of the free pages before it.
bool Txn::nearly_full(unsigned part) const {
  MDB_envinfo info{};
  mdb_env_info(env_.raw(), &info);
  std::uint64_t used = 0, page = 0;
  const auto count = [&](MDB_dbi table) {
    MDB_stat stat{};
    if (const int rc = mdb_stat(txn_, table, &stat); rc != 0) fail_hard(env_, "read database", rc);
    used += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
    page = stat.ms_psize;
  };
  count(kFreeTable);
  for (const auto table : env_.handles()) count(table);
  const std::uint64_t pages = info.me_mapsize / page;
  return used >= pages - std::min<std::uint64_t>(pages / 8, kMostHeadroom / page) / part;
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
  if (rc != 0) return fail_write(env, "write database", rc);  // MDB_PANIC: opened again, by a restart
  return txn;
}

WriteTxn::~WriteTxn() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
}

base::Status WriteTxn::put(Table table, std::string_view key, std::string_view value) {
  MDB_val k = to_val(key), v = to_val(value);
  if (const int rc = mdb_put(txn_, env_.handle(table), &k, &v, 0); rc != 0) return fail_write(env_, "write database", rc);
  return {};
}

base::Status WriteTxn::erase(Table table, std::string_view key) {
  MDB_val k = to_val(key);
  const int rc = mdb_del(txn_, env_.handle(table), &k, nullptr);
  if (rc != 0 && rc != MDB_NOTFOUND) return fail_write(env_, "write database", rc);
  return {};
}

base::Status WriteTxn::commit() {
  MDB_txn* txn = std::exchange(txn_, nullptr);  // gone, whatever comes of it
  if (const int rc = mdb_txn_commit(txn); rc != 0) return fail_write(env_, "commit", rc);
  return {};
}

Cursor::Cursor(const Txn& txn, Table table) : env_(txn.env()) {
  if (const int rc = mdb_cursor_open(txn.raw(), txn.env().handle(table), &cursor_); rc != 0) {
    fail_hard(txn.env(), "read database", rc);
  }
}

Cursor::~Cursor() { mdb_cursor_close(cursor_); }

bool Cursor::move(int operation, std::string_view key) {
  MDB_val k = to_val(key), v{};
  const int rc = mdb_cursor_get(cursor_, &k, &v, static_cast<MDB_cursor_op>(operation));
  if (rc != 0 && rc != MDB_NOTFOUND) fail_hard(env_, "read database", rc);
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
