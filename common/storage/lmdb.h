// LMDB, owned. The rules of design.md section 4 are built in: no NOSYNC, NOMETASYNC, WRITEMAP or nested
// transactions; NOTLS; 1,024 readers; a fixed sparse map, of which a full one is kNoSpace like a full disk.
// Open an environment once a process and after exec; one program writes it, and there one thread.
// A read transaction ends within one callback: what it returned by view dies with it.
//
// A disk or a user's quota that is full is kNoSpace too, also where LMDB says EIO for a write that fell short.
// After a disk failed in the middle of a commit's very last page LMDB wants to be opened anew: the process ends with
// a log line and 75, and whoever started it starts it again.
// A damaged database is a broken invariant: whatever meets it panics with words that say what helps, be it an
// error of LMDB, one of its assertions, or an access to a place of the map where no file is (SIGBUS, SIGSEGV:
// there is a handler for addresses in a map, once a process).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

namespace holdfast::storage {

// Index into the list of names an Env was opened with.
using Table = std::size_t;

struct EnvOptions {
  bool read_only = false;
  std::uint64_t map_bytes = 64ULL << 30;  // address space, not disk
  bool disposable = false;                // what it holds may be lost: a writer that meets damage takes its files away
  std::string_view repair = {};           // what a person is told to do when it is damaged; a literal
};

class Env {
 public:
  // A writer makes the folder and the tables. A reader gets kNotFound while either does not exist yet.
  static base::Result<std::unique_ptr<Env>> open(const std::string& folder, const std::vector<std::string>& tables,
                                                 EnvOptions options = {});
  ~Env();
  Env(const Env&) = delete;
  Env& operator=(const Env&) = delete;

  // Frees the reader slots of processes that died; the writing program does so every 10 s.
  void clear_stale_readers();

  MDB_env* raw() { return env_; }
  const std::string& folder() const { return folder_; }
  unsigned handle(Table table) const;
  const std::vector<unsigned>& handles() const { return tables_; }
  // Ends the process: `what` has met damage.
  [[noreturn]] void damaged(std::string_view what) const;

 private:
  Env() = default;

  std::string folder_;
  EnvOptions options_;
  MDB_env* env_ = nullptr;
  std::vector<unsigned> tables_;
};

// What both kinds of transaction can do.
class Txn {
 public:
  Txn(const Txn&) = delete;
  Txn& operator=(const Txn&) = delete;

  std::optional<std::string_view> get(Table table, std::string_view key) const;
  std::uint64_t entries(Table table) const;
  // True when so much of the map is in use, this transaction's changes included, that only what makes it emptier
  // should still be written: a full map could not even delete. The last eighth is left for that, at most 256 MiB.
  // With `part` 2 half of that is left still (expiry, which is followed by a report), with 4 a quarter (the
  // reports, which take the place of what they tell of).
  bool nearly_full(unsigned part = 1) const;

  MDB_txn* raw() const { return txn_; }
  Env& env() const { return env_; }

 protected:
  explicit Txn(Env& env) : env_(env) {}
  ~Txn() = default;

  Env& env_;
  MDB_txn* txn_ = nullptr;
};

// A view of one moment. renew() shows a newer one and is cheap: keep the object, not the view.
class ReadTxn : public Txn {
 public:
  explicit ReadTxn(Env& env) : Txn(env) {}
  ~ReadTxn();
  // kTemporary when all reader slots are taken.
  base::Status renew();
  void reset();  // ends the view, keeps the slot
  // renew() and reset() by scope:  ReadTxn::View view(txn); if (!view) …
  class View {
   public:
    explicit View(ReadTxn& txn) : txn_(txn), status_(txn.renew()) {}
    ~View() { txn_.reset(); }
    View(const View&) = delete;
    View& operator=(const View&) = delete;
    explicit operator bool() const { return status_.has_value(); }
    const base::Error& error() const { return status_.error(); }

   private:
    ReadTxn& txn_;
    base::Status status_;
  };

 private:
  bool open_ = false;
};

// All or nothing: what is not committed is dropped by the destructor. After a failed put, erase or commit
// nothing of it has happened, and the caller may do the same again in a new one (BatchWriter does).
class WriteTxn : public Txn {
 public:
  static base::Result<std::unique_ptr<WriteTxn>> begin(Env& env);
  ~WriteTxn();

  base::Status put(Table table, std::string_view key, std::string_view value);
  base::Status erase(Table table, std::string_view key);  // fine when it is not there
  base::Status commit();                                  // on disk when it returns

 private:
  explicit WriteTxn(Env& env) : Txn(env) {}
};

// Walks a table in the order of its keys. Views are valid until the transaction's next change or end.
class Cursor {
 public:
  Cursor(const Txn& txn, Table table);
  ~Cursor();
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  bool first();
  bool last();
  bool seek(std::string_view key);  // to the first key not less than this
  bool next();
  bool previous();
  bool valid() const { return valid_; }
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

 private:
  bool move(int operation, std::string_view key = {});

  const Env& env_;
  MDB_cursor* cursor_ = nullptr;
  std::string_view key_, value_;
  bool valid_ = false;
};

}  // namespace holdfast::storage
