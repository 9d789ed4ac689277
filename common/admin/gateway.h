// The gateway as its admin's tools see it: its configuration, its sockets, its files. Everything that only reads works
// with dead daemons too. May be used by several threads: a reading waits for another's, and each is short.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/config/config.h"
#include "common/ipc/messages.h"
#include "common/mail/queue_id.h"
#include "common/storage/directory.h"
#include "common/storage/index_reader.h"
#include "common/storage/queue_index.h"
#include "common/storage/reading_mark.h"

namespace holdfast::admin {

// The directory and the queue's index, each opened once a process, whatever becomes of the configuration; the index anew when
// `queue rebuild` has put another in its place.
class Stores {
 public:
  // For how long the queue's index is left alone when the process before this one ended while it read it.
  static constexpr base::Seconds kAfraid{300};

  // `mark`: the file of a daemon that must not end again and again by a damaged index (reading_mark.h); empty: none.
  Stores(std::string spool, std::string state, std::uint64_t index_map_bytes, std::string mark = {});

  // The queue's index with a view of this moment; kNotFound while nothing was ever kept, kUnavailable while it is left
  // alone.
  base::Status read_queue(const std::function<void(const storage::QueueIndex&, const storage::Txn&)>& questions);
  // Several questions about one moment; kNotFound while there is no directory.
  base::Status read(const std::function<void(const storage::Directory&, const storage::Txn&)>& questions);
  std::optional<storage::DestinationRow> destination(std::string_view name);
  std::optional<storage::DomainRow> domain(std::string_view name);
  std::optional<storage::RecipientRow> recipient(std::string_view key);

 private:
  const std::string spool_;
  const std::uint64_t index_map_bytes_;
  const storage::ReadingMark mark_;
  const base::Mono made_ = base::mono_now();
  std::mutex queue_door_, directory_door_;
  storage::DirectoryReader directory_;
  storage::IndexReader index_;
};

class Gateway {
 public:
  // The configuration as it lies there; if that is faulty, the running one, and warning() says so.
  static base::Result<Gateway> open(const std::string& config_file);
  // With `stores` of an earlier one, which had the same paths, or with its own. `user` is told to daemons.
  Gateway(config::ConfigPtr config, std::shared_ptr<Stores> stores, std::string user);

  const config::Config& config() const { return *config_; }
  const std::string& warning() const { return warning_; }
  const std::shared_ptr<Stores>& stores() const { return stores_; }
  Stores& directory() const { return *stores_; }
  base::Status read_queue(
      const std::function<void(const storage::QueueIndex&, const storage::Txn&)>& questions) const {
    return stores_->read_queue(questions);
  }

  // One question to a daemon, "master" or "alertd", and the whole answer: some of it may be done although it has an exit
  // code. Blocks.
  base::Result<ipc::ControlReply> ask_all(const std::string& daemon, const std::string& command,
                                          const std::vector<std::string>& words, base::Seconds timeout) const;
  // The same where an answer with an exit code is an Error of that kind, and nothing else.
  base::Result<std::string> ask(const std::string& daemon, const std::string& command,
                                const std::vector<std::string>& words = {}, base::Seconds timeout = base::Seconds{30}) const;
  // What qmgr says of itself, as JSON; nothing when it does not answer.
  std::optional<std::string> qmgr_status() const;
  // The messages that qmgr has handed to deliver just now; nothing when it does not answer.
  std::optional<std::set<mail::QueueId>> active() const;

 private:
  config::ConfigPtr config_;
  std::shared_ptr<Stores> stores_;
  std::string user_, warning_;
};

// The active messages in what qmgr_status() has said.
std::optional<std::set<mail::QueueId>> active_in(const std::string& qmgr_status);

// The error of an answer with an exit code.
base::Kind kind_of(int exit);

}  // namespace holdfast::admin
