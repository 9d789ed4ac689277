// Carries out what gatewayctl asks to be done to the queue: queue_command.h has the words, queue_change.h the rules.
//
// A filtered command walks the queue page by page and commits each page, so that a million messages cost neither
// memory nor a long transaction. The answer's JSON is {"changed": N}, and where it is not 0: "busy", messages that
// are being handed over just now and were left alone, and "null_sender", those that cannot be bounced.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/ipc/messages.h"
#include "common/storage/batch_writer.h"
#include "common/storage/queue_index.h"
#include "qmgr/queue_change.h"
#include "qmgr/queue_command.h"

namespace holdfast::qmgr {

// On the loop. A command that was begun goes on whatever becomes of who asked.
class Commands {
 public:
  using Reply = std::function<void(ipc::ControlReply)>;
  struct Hooks {
    std::function<void(mail::QueueId)> removed;  // of every deleted message
    std::function<void()> changed;               // once at the end of a command
    std::function<bool(mail::QueueId)> claim;    // false: it is being handed over; else it is not until:
    std::function<void(mail::QueueId)> unclaim;
    std::function<std::optional<base::Seconds>(const std::string&)> lifetime;  // of a destination; nothing: unknown
  };
  Commands(storage::QueueIndex& index, storage::BatchWriter& writer, Hooks hooks);

  void run(const ipc::Control& control, Reply reply);

 private:
  struct Run;
  struct Page;
  base::Status prepare(Run& run) const;
  void leave_out_missing(Run& run);
  void next_page(const std::shared_ptr<Run>& run);
  void submit(const std::shared_ptr<Run>& run, std::vector<mail::QueueId> ids);
  void claim(Run& run, std::vector<mail::QueueId>& ids);
  void page_done(const std::shared_ptr<Run>& run, const Page& page);
  void finish(const std::shared_ptr<Run>& run);

  storage::QueueIndex& index_;
  storage::BatchWriter& writer_;
  const Hooks hooks_;
  storage::ReadTxn read_;
};

}  // namespace holdfast::qmgr
