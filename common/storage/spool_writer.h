// The spool thread of smtpd: appends whole records in order and fdatasyncs a batch (group commit): all
// that was submitted while the last sync ran. 250 may be answered when a completion says so, and then only.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/error.h"
#include "common/mail/envelope.h"
#include "common/mail/queue_id.h"
#include "common/mail/record_ref.h"
#include "common/storage/content.h"
#include "common/storage/segment_writer.h"

namespace holdfast::storage {

class SpoolWriter {
 public:
  // A second message of the same content.
  struct Copy {
    mail::QueueId id;
    mail::Envelope envelope;
  };
  struct Submission {
    std::uint64_t token = 0;  // the caller's, given back in the completion
    mail::QueueId id;
    mail::Envelope envelope;
    Content content;
    // Written behind it into the same segment, with `copies_head` before the content; one completion for all, which is an
    // error when one of them could not be written: then none is there.
    std::vector<Copy> copies{};
    std::string copies_head{};
  };
  struct Completion {
    std::uint64_t token = 0;
    base::Result<mail::RecordRef> record;  // an error's kind chooses the 4xx
  };
  // What one batch brought: completions in the order of submission, and the marks to tell qmgr.
  struct Batch {
    std::vector<Completion> completions;
    std::vector<SegmentMark> marks;
  };
  struct Options {
    std::string folder;          // segments_folder(paths.spool); must exist
    std::uint32_t writer = 0;    // the writer number of this start
    std::size_t most_waiting = 10000;
  };

  // `finished` is called on the spool thread, once a batch: post it to the loop.
  SpoolWriter(Options options, std::function<void(Batch)> finished, FileOps& ops = real_file_ops());
  // Writes what is waiting, syncs, seals, and reports it.
  ~SpoolWriter();
  SpoolWriter(const SpoolWriter&) = delete;
  SpoolWriter& operator=(const SpoolWriter&) = delete;

  // False: too many wait already (answer 452); the submission is dropped.
  bool submit(Submission submission);
  // Drops what is still waiting; what is being written stays, and is completed.
  void withdraw(std::uint64_t token);
  // All segments of this writer that still exist, for the hello to qmgr.
  std::vector<SegmentMark> marks();

 private:
  void run();
  void write_batch(std::deque<Submission> batch);
  base::Result<mail::RecordRef> append(Submission& submission);
  void sync(Batch& out, std::size_t& first_unsynced);
  base::Status make_room(std::uint64_t length, Batch& out, std::size_t& first_unsynced);
  void note_mark(bool sealed, Batch& out);

  const Options options_;
  const std::function<void(Batch)> finished_;
  FileOps& ops_;
  std::unique_ptr<SegmentWriter> segment_;  // the thread's own
  std::uint32_t next_segment_ = 1;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Submission> waiting_;
  std::vector<SegmentMark> marks_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace holdfast::storage
