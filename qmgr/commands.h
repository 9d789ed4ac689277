// What gatewayctl asks of qmgr: queue.retry, queue.hold, queue.release, queue.delete, qmgr.status.
//
// Words are queue ids, or a filter: --all, --destination X, --domain X, --sender X, --recipient X,
// --state X; and --dry-run. A filtered command walks the queue page by page and commits each page, so that a
// million messages cost neither memory nor a long transaction. The answer's JSON is {"changed": N}.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/ipc/messages.h"
#include "common/storage/batch_writer.h"
#include "common/storage/queue_index.h"

namespace holdfast::qmgr {

enum class QueueVerb : std::uint8_t { kRetry, kHold, kRelease, kDelete };

struct QueueCommand {
  QueueVerb verb = QueueVerb::kRetry;
  std::vector<mail::QueueId> ids;       // or else:
  storage::QueueFilter filter;
  bool dry_run = false;
  std::string user;
};

// kUsage when the words mean nothing, or nothing is chosen.
base::Result<QueueCommand> parse_queue_command(const ipc::Control& control);

// Changes one message; part of an operation. True if there was something to change.
base::Result<bool> change_message(storage::QueueIndex& index, storage::WriteTxn& txn, mail::QueueId id,
                                  QueueVerb verb, const std::string& user, std::int64_t now_ms);

// Carries a command out, calling back on the loop.
class Commands {
 public:
  using Reply = std::function<void(ipc::ControlReply)>;
  // `removed` is told of every deleted message, `changed` once at the end of a command that changed any.
  struct Hooks {
    std::function<void(mail::QueueId)> removed;
    std::function<void()> changed;
  };
  Commands(storage::QueueIndex& index, storage::BatchWriter& writer, Hooks hooks);

  void run(const ipc::Control& control, Reply reply);

 private:
  struct Run;
  void next_page(const std::shared_ptr<Run>& run);
  void submit(const std::shared_ptr<Run>& run, std::vector<mail::QueueId> ids);
  void finish(const std::shared_ptr<Run>& run);

  storage::QueueIndex& index_;
  storage::BatchWriter& writer_;
  const Hooks hooks_;
  storage::ReadTxn read_;
};

}  // namespace holdfast::qmgr
