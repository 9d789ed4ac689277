#include "smtpd/spool.h"

#include <utility>

#include "common/storage/segment.h"

namespace holdfast::smtpd {

struct Spool::Mailbox {
  Spool* owner = nullptr;  // null once the Spool ends
};

Spool::Spool(net::Loop& loop, Options options)
    : loop_(loop),
      options_(std::move(options)),
      mailbox_(std::make_shared<Mailbox>()),
      qmgr_(loop, options_.qmgr_socket, options_.self, *this) {
  mailbox_->owner = this;
  writer_ = std::make_unique<storage::SpoolWriter>(
      storage::SpoolWriter::Options{.folder = storage::segments_folder(options_.folder), .writer = options_.writer},
      [this, box = mailbox_](storage::SpoolWriter::Batch batch) {
        loop_.post([box, batch = std::make_shared<storage::SpoolWriter::Batch>(std::move(batch))] {
          if (box->owner != nullptr) box->owner->finished(std::move(*batch));
        });
      });
  qmgr_.start();
}

Spool::~Spool() {
  mailbox_->owner = nullptr;
  writer_.reset();
}

std::uint64_t Spool::keep(mail::QueueId id, mail::Envelope envelope, storage::Content content, Done done) {
  const std::uint64_t token = ++last_token_;
  waiting_.emplace(token, std::move(done));
  const bool taken = writer_->submit(
      {.token = token, .id = id, .envelope = std::move(envelope), .content = std::move(content)});
  if (!taken) {
    loop_.later([this, token] {
      finished({.completions = {{.token = token, .record = base::fail(base::Kind::kNoSpace, "the spool is too busy")}},
                .marks = {}});
    });
  }
  return token;
}

void Spool::finished(storage::SpoolWriter::Batch batch) {
  for (const auto& mark : batch.marks) tell(mark);
  for (auto& completion : batch.completions) {
    const auto at = waiting_.find(completion.token);
    if (at == waiting_.end()) continue;
    const auto done = std::move(at->second);
    waiting_.erase(at);
    if (completion.record) {
      done({});
    } else {
      done(std::unexpected(completion.record.error()));
    }
  }
}

void Spool::tell(const storage::SegmentMark& mark) {
  qmgr_.send(ipc::Synced{.writer = mark.id.writer, .segment = mark.id.number, .upto = mark.upto, .sealed = mark.sealed});
}

void Spool::on_peer(ipc::Channel&) {
  for (const auto& mark : writer_->marks()) tell(mark);
}

bool Spool::on_message(ipc::Channel&, const ipc::Incoming&) { return false; }  // qmgr tells smtpd nothing

}  // namespace holdfast::smtpd
