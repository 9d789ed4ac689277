// What every message passes through, over bytes, without a socket or a disk: for callgrind to count (test_instructions.py).
//
//   hot_paths relay|spool COUNT
//
// A message is a session of its own, as in the comparison with other mail systems (docs/performance.md): EHLO, MAIL, RCPT,
// DATA, 4 KiB in two pieces, a dot, QUIT.
//   relay   the server half, our Received, the client half towards the destination, the log's lines, what is counted
//   spool   the server half, our Received, envelope and record, their checksums, the log's lines
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <sys/mman.h>

#include "common/base/panic.h"
#include "common/mail/events.h"
#include "common/mail/received.h"
#include "common/smtp/client_session.h"
#include "common/smtp/server_session.h"
#include "common/stats/counters.h"
#include "common/storage/segment_writer.h"

namespace holdfast {
namespace {

constexpr std::string_view kHost = "mx.example.test", kSender = "sender@src.test", kRecipient = "user@example.test";

// Bytes go nowhere.
class NoDisk : public storage::FileOps {
 public:
  base::Result<base::UniqueFd> create(const std::string&) override { return base::UniqueFd(::memfd_create("segment", MFD_CLOEXEC)); }
  base::Status write(int, std::string_view, std::uint64_t) override { return {}; }
  base::Status sync_data(int) override { return {}; }
  base::Status sync(int) override { return {}; }
  base::Status cut(int, std::uint64_t) override { return {}; }
  base::Status rename(const std::string&, const std::string&) override { return {}; }
  base::Status sync_folder(const std::string&) override { return {}; }
};

// Lines of 76, each tenth begins with a dot: as a client sends it.
std::string message() {
  std::string out = "From: <sender@src.test>\r\nTo: <user@example.test>\r\nSubject: hello\r\nMessage-Id: <1@src.test>\r\n\r\n";
  for (int line = 0; out.size() < 4096; ++line) out += (line % 10 == 9 ? ".." : "xx") + std::string(74, 'x') + "\r\n";
  return out;
}

// The destination's half of a connection that is kept open: the session, and the answers that it gets.
class Destination {
 public:
  Destination() {
    answer("220 office.example.test ESMTP\r\n");
    session_.ehlo(kHost);
    answer("250-office.example.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 10240000\r\n");
  }
  void mail(std::string_view sender) { session_.mail(sender, "SIZE=4096"), answer("250 2.1.0 Ok\r\n"); }
  mail::Reply rcpt(std::string_view recipient) { session_.rcpt(recipient); return answer("250 2.1.5 Ok\r\n"); }
  mail::Reply content(const storage::Content& content) {
    session_.data();
    answer("354 End data with <CR><LF>.<CR><LF>\r\n");
    storage::ContentReader reader(content);
    for (auto piece = reader.next(); piece && !piece->empty(); piece = reader.next()) wire_.append(*piece);
    session_.end_content();
    return answer("250 2.0.0 Ok: queued as 4D1F22A0\r\n");
  }

 private:
  mail::Reply answer(std::string_view bytes) {
    wire_.append(session_.output());
    session_.output().clear();
    wire_.clear();
    session_.receive(bytes);
    const auto event = session_.next_event();
    base::expect(event && event->kind == smtp::ClientEvent::Kind::kReply, "an answer");
    return event->reply;
  }

  smtp::ClientSession session_;
  std::string wire_;
};

// One client's session, and what smtpd does at its events.
class Visit {
 public:
  Visit(mail::QueueId id, Destination* destination, storage::SegmentWriter* segment, std::string& log)
      : id_(id), destination_(destination), segment_(segment), log_(log), session_({.hostname = std::string(kHost)}), content_("/") {}

  void run(std::string_view body) {
    feed("");
    for (const auto line : {"EHLO client.src.test\r\n", "MAIL FROM:<sender@src.test>\r\n", "RCPT TO:<user@example.test>\r\n", "DATA\r\n"}) feed(line);
    feed(body.substr(0, body.size() / 2));
    feed(body.substr(body.size() / 2));
    feed(".\r\n");
    feed("QUIT\r\n");
    base::expect(done_ && session_.closing(), "a whole session");
  }

 private:
  void feed(std::string_view bytes) {
    session_.receive(bytes);
    while (const auto event = session_.next_event()) std::visit([this](const auto& e) { on(e); }, *event);
    session_.output().clear();
  }

  void on(const smtp::event::Connect&) { stats::count(stats::Counter::kConnections), log_ = mail::events::connect("", "192.0.2.1"), session_.accept(); }
  void on(const smtp::event::Helo& event) { envelope_.helo = event.name, session_.accept(); }
  void on(const smtp::event::Mail& event) {
    envelope_.sender = event.sender.text();
    if (destination_ != nullptr) destination_->mail(envelope_.sender);
    session_.accept();
  }
  void on(const smtp::event::Rcpt& event) {
    envelope_.recipients.push_back({.address = event.recipient.text()});
    stats::count(stats::Counter::kRecipientsLive);
    if (destination_ != nullptr) {
      session_.reply(destination_->rcpt(envelope_.recipients.back().address));
    } else {
      session_.accept();
    }
  }
  void on(const smtp::event::Data&) {
    content_.set_head(mail::received_header({.helo = envelope_.helo,
                                             .client_name = "",
                                             .literal = "[192.0.2.1]",
                                             .by = kHost,
                                             .protocol = "ESMTP",
                                             .id = id_,
                                             .recipient = kRecipient,
                                             .date = "Sun, 22 Nov 2026 14:00:00 +0000"}));
    session_.accept();
  }
  void on(const smtp::event::Content& event) {
    base::expect(content_.append(event.bytes).has_value(), "content in memory");
    header_.append(event.bytes);
  }
  void on(const smtp::event::ContentEnd& event) {
    envelope_.message_id = mail::scan_header(header_).message_id;
    stats::count(stats::Counter::kReceivedBytes, event.octets);
    stats::count(stats::Counter::kMessagesProxied);
    stats::count(stats::Counter::kProxiedBytes, event.octets);
    stats::observe(stats::Histogram::kProxySeconds, std::chrono::milliseconds{20});
    log_ = mail::events::client(id_, "", "192.0.2.1");
    session_.reply(destination_ != nullptr ? relay(event.octets) : keep());
    done_ = true;
  }
  void on(const smtp::event::Reset&) {}
  void on(const smtp::event::Quit&) { log_ = mail::events::disconnect("", "192.0.2.1"); }
  void on(const smtp::event::StartTls&) {}
  void on(const smtp::event::Xclient&) {}
  void on(const smtp::event::Rejected&) { base::panic("nothing is refused"); }

  mail::Reply relay(std::uint64_t octets) {
    auto reply = destination_->content(content_);
    log_ = mail::events::message_id(id_, envelope_.message_id);
    log_ = mail::events::proxied_from(id_, kSender, octets, 1);
    log_ = mail::events::sent({.id = id_, .recipient = kRecipient, .relay = "office[192.0.2.9]:25", .delays = {0.1, 0, 0, 0.1},
                               .dsn = reply.dsn(), .answer = reply.text()});
    return reply;
  }

  mail::Reply keep() {
    envelope_.destination = "office";
    envelope_.client_address = "192.0.2.1";
    envelope_.protocol = "ESMTP";
    base::expect(segment_->append(id_, 0, envelope_, content_) && segment_->sync(), "a record");
    return mail::Reply::make(250, "2.0.0", "Ok: queued as " + id_.text());
  }

  mail::QueueId id_;
  Destination* destination_;
  storage::SegmentWriter* segment_;
  std::string& log_;
  smtp::ServerSession session_;
  storage::Content content_;
  mail::Envelope envelope_;
  std::string header_;
  bool done_ = false;
};

void run(bool relay, std::uint64_t count) {
  NoDisk no_disk;
  Destination destination;
  const auto segment = storage::SegmentWriter::create(no_disk, "", {1, 1});
  base::expect(segment.has_value(), "a segment");
  const std::string body = message();
  std::string log;
  for (std::uint64_t n = 1; n <= count; ++n) {
    Visit(mail::QueueId::make(1, n), relay ? &destination : nullptr, segment->get(), log).run(body);
  }
}

}  // namespace
}  // namespace holdfast

int main(int argc, char** argv) {
  const std::string what = argc == 3 ? argv[1] : "";
  if (what != "relay" && what != "spool") {
    std::fprintf(stderr, "usage: hot_paths relay|spool COUNT\n");
    return 64;
  }
  holdfast::run(what == "relay", std::strtoull(argv[2], nullptr, 10));
}
