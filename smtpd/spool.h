// smtpd's side of the spool: hands messages to the spool thread, calls back when they are durable, and
// tells qmgr how far each segment reaches. With qmgr dead nothing is lost: it reads the marks from our
// hello, or scans the segments when we have gone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/ipc/channel.h"
#include "common/mail/envelope.h"
#include "common/mail/queue_id.h"
#include "common/net/loop.h"
#include "common/storage/content.h"
#include "common/storage/spool_writer.h"
#include "smtpd/room.h"

namespace holdfast::smtpd {

class Spool final : private ipc::ChannelHandler {
 public:
  struct Options {
    std::string folder;       // paths.spool
    std::string qmgr_socket;
    std::uint32_t writer = 0;
    ipc::Hello self;
  };
  using Done = std::function<void(base::Status)>;

  Spool(net::Loop& loop, Options options);
  ~Spool() override;

  // `done` is called on the loop when the record is durable, or with the error that chooses the 4xx: kNoSpace
  // too when a quota is reached.
  // `copies` are kept with it or not at all; whether they fit into the quotas is the caller's question.
  // The number is for forget().
  std::uint64_t keep(mail::QueueId id, mail::Envelope envelope, storage::Content content, std::vector<storage::SpoolWriter::Copy> copies,
                     Done done);
  // The client has gone: its `done` is not called any more. What the spool thread has not begun to write is
  // dropped; the rest is kept all the same, and may be a duplicate of what the client sends again (design.md
  // section 4, Promises).
  void forget(std::uint64_t token);
  // For qmgr's count of them: a live message whose answer was lost, and that is kept now.
  void possible_duplicate();
  // Where unnamed files of contents are made: smtpd may write in no other folder.
  const std::string& contents_folder() const { return segments_; }
  const Room& room() const { return room_; }

 private:
  // Where batches on their way to the loop find the Spool, if it is still there. The loop's thread only.
  struct Mailbox;

  void on_peer(ipc::Channel& qmgr) override;
  bool on_message(ipc::Channel& from, const ipc::Incoming& message) override;
  void finished(storage::SpoolWriter::Batch batch);
  void settle(const storage::SpoolWriter::Completion& completion);
  void refuse(std::uint64_t token, std::string_view why);
  void tell(const storage::SegmentMark& mark);
  void tell_late();
  bool hung();
  void note_health(const storage::SpoolWriter::Batch& batch);

  net::Loop& loop_;
  const Options options_;
  const std::string segments_;
  std::uint64_t last_token_ = 0;
  std::map<std::uint64_t, Done> waiting_;
  Room room_;
  std::map<storage::SegmentId, storage::SegmentMark> late_;  // marks not told yet: the newest of each
  bool failing_ = false;
  std::shared_ptr<Mailbox> mailbox_;
  ipc::Client qmgr_;
  net::Timer again_;
  std::unique_ptr<storage::SpoolWriter> writer_;
};

}  // namespace holdfast::smtpd
