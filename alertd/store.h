// state/alerts: what is open, pending and silenced, so that it outlives us. alertd is its sole writer; commits run on a
// thread of their own. Where it cannot be opened or written alertd goes on without: to tell of a full disk matters more.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "alertd/alert.h"
#include "common/base/error.h"
#include "common/net/loop.h"
#include "common/storage/batch_writer.h"
#include "common/storage/lmdb.h"

namespace holdfast::alertd {

// How far the events of one process have been taken.
struct Taken {
  std::string sender;                // "qmgr 0"
  std::uint32_t pid = 0;
  std::uint64_t number = 0;

  template <class V>
  void fields(V&& v) { v(sender, pid, number); }
};

struct Contents {
  std::vector<Alert> alerts;
  std::vector<Silence> silences;
  std::vector<Notice> notices;
  std::vector<Taken> taken;
};

// Rows to be written; an empty value erases.
struct Changes {
  struct Row {
    storage::Table table;
    std::string key, value;
  };
  std::vector<Row> rows;

  void put(const Alert& alert);
  void erase_alert(std::uint64_t id);
  void put(const Silence& silence);
  void erase_silence(const std::string& what);
  void put(const Notice& notice);
  void erase_notice(std::uint64_t id);
  void put(const Taken& taken);
};

class Store {
 public:
  static base::Result<std::unique_ptr<Store>> open(net::Loop& loop, const std::string& state_folder);
  ~Store();

  // Rows that cannot be read are left out, with a warning.
  Contents read();
  // `done` on the loop, once it is on disk.
  void write(Changes changes, std::function<void()> done);
  bool failing() const { return failing_; }
  void on_failing(std::function<void()> told) { on_failing_ = std::move(told); }

 private:
  Store(net::Loop& loop, std::unique_ptr<storage::Env> env);

  net::Loop& loop_;
  std::unique_ptr<storage::Env> env_;
  bool failing_ = false;
  std::function<void()> on_failing_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<storage::BatchWriter> writer_;  // last: its thread uses the rest
};

}  // namespace holdfast::alertd
