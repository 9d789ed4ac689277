#include "smtpd/spool.h"

#include <utility>

#include "common/base/announce.h"
#include "common/storage/new_message.h"
#include "common/storage/segment.h"
#include "smtpd/copies.h"

namespace holdfast::smtpd {
namespace {

// A qmgr that is hung takes no more than this; then it is told the newest marks only, when it wakes.
constexpr std::size_t kMostUnsent = 64 << 10;
constexpr base::Millis kAgain{1000};
// qmgr commits every 50 ms: it need not be woken for each batch.
constexpr base::Millis kTogether{10};

}  // namespace

struct Spool::Mailbox {
  Spool* owner = nullptr;  // null once the Spool ends
};

Spool::Spool(net::Loop& loop, Options options)
    : loop_(loop),
      options_(std::move(options)),
      segments_(storage::segments_folder(options_.folder)),
      mailbox_(std::make_shared<Mailbox>()),
      qmgr_(loop, options_.qmgr_socket, options_.self, *this),
      again_(loop, [this] { tell_late(); }) {
  mailbox_->owner = this;
  writer_ = std::make_unique<storage::SpoolWriter>(
      storage::SpoolWriter::Options{.folder = segments_, .writer = options_.writer},
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

std::uint64_t Spool::keep(mail::QueueId id, mail::Envelope envelope, storage::Content content,
                          std::vector<storage::SpoolWriter::Copy> copies, Done done) {
  const std::uint64_t token = ++last_token_;
  waiting_.emplace(token, std::move(done));
  const auto domains = storage::recipient_domains(envelope);
  if (!room_.fits(domains, content.size())) {
    refuse(token, "a quota of the queue is reached");
    return token;
  }
  room_.took(domains, content.size());
  for (const auto& copy : copies) room_.took(storage::recipient_domains(copy.envelope), content.size());
  std::string mark = copies.empty() ? std::string() : copy_mark(id.text());
  const bool taken = writer_->submit(
      {.token = token, .id = id, .envelope = std::move(envelope), .content = std::move(content), .copies = std::move(copies),
       .copies_head = std::move(mark)});
  if (!taken) refuse(token, "the spool is too busy");
  return token;
}

void Spool::refuse(std::uint64_t token, std::string_view why) {
  loop_.later([box = mailbox_, token, text = std::string(why)] {
    if (box->owner == nullptr) return;
    box->owner->settle({.token = token, .record = base::fail(base::Kind::kNoSpace, text)});
  });
}

void Spool::forget(std::uint64_t token) {
  waiting_.erase(token);
  writer_->withdraw(token);
}

void Spool::finished(storage::SpoolWriter::Batch batch) {
  note_health(batch);
  for (const auto& mark : batch.marks) tell(mark);
  for (const auto& completion : batch.completions) settle(completion);
}

void Spool::settle(const storage::SpoolWriter::Completion& completion) {
  const auto at = waiting_.find(completion.token);
  if (at == waiting_.end()) return;
  const auto done = std::move(at->second);
  waiting_.erase(at);
  if (completion.record) {
    done({});
  } else {
    done(std::unexpected(completion.record.error()));
  }
}

// One event when the disk begins to fail, and one when it works again.
void Spool::note_health(const storage::SpoolWriter::Batch& batch) {
  for (const auto& completion : batch.completions) {
    const bool failed = !completion.record;
    if (failed == failing_) continue;
    failing_ = failed;
    if (failed) {
      base::announce(base::Level::kError, "spool_fails", {{"reason", completion.record.error().text}});
    } else {
      base::announce(base::Level::kNotice, "spool_works", {});
    }
  }
}

void Spool::tell(const storage::SegmentMark& mark) {
  late_.insert_or_assign(mark.id, mark);
  if (!again_.waiting()) tell_late();
}

void Spool::possible_duplicate() { qmgr_.send(ipc::Control{.command = "qmgr.possible_duplicate", .words = {}, .user = {}}); }

bool Spool::hung() { return qmgr_.channel() != nullptr && qmgr_.channel()->unsent() > kMostUnsent; }

void Spool::tell_late() {
  if (late_.empty()) return;
  if (hung()) return again_.start(kAgain);
  for (const auto& [id, mark] : std::exchange(late_, {})) {
    qmgr_.send(ipc::Synced{.writer = id.writer, .segment = id.number, .upto = mark.upto, .sealed = mark.sealed});
  }
  again_.start(kTogether);
}

void Spool::on_peer(ipc::Channel&) {
  for (const auto& mark : writer_->marks()) late_.insert_or_assign(mark.id, mark);
  tell_late();
}

bool Spool::on_message(ipc::Channel&, const ipc::Incoming& message) {
  const auto room = message.as<ipc::QueueRoom>();
  if (!room) return false;
  room_.told(*room);
  return true;
}

}  // namespace holdfast::smtpd
