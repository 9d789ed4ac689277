#include "common/upstream/connection.h"

#include <deque>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "common/base/panic.h"
#include "common/net/stream.h"
#include "common/smtp/client_session.h"
#include "common/upstream/deadline.h"

namespace holdfast::upstream {
namespace {

using mail::Stage;
using smtp::ClientCommand;

// Content in our buffer at once; the kernel's comes on top.
constexpr std::size_t kWindow = 256 << 10;

Stage stage_of(ClientCommand command) {
  switch (command) {
    case ClientCommand::kBanner: return Stage::kBanner;
    case ClientCommand::kEhlo:
    case ClientCommand::kHelo: return Stage::kEhlo;
    case ClientCommand::kMail: return Stage::kMail;
    case ClientCommand::kRcpt: return Stage::kRcpt;
    case ClientCommand::kData: return Stage::kData;
    case ClientCommand::kDot: return Stage::kDot;
    default: return Stage::kNone;
  }
}

// A server may say 20 kB at once; a reason is one line for the log.
constexpr std::size_t kMaxReason = 500;

std::string reason_at(Stage stage, std::string_view what) {
  const std::string_view where = mail::to_text(stage);
  what = what.substr(0, kMaxReason);
  return where.empty() ? std::string(what) : fmt::format("{}: {}", where, what);
}

bool answers(ClientCommand command, const mail::Reply& reply) {
  if (reply.temporary() || reply.permanent()) return true;
  return command == ClientCommand::kData ? reply.intermediate() : reply.positive();
}

}  // namespace

struct Connection::Impl : net::StreamHandler, std::enable_shared_from_this<Connection::Impl> {
  // A command that is asked for. `tell`: its answer interests the handler.
  struct Command {
    ClientCommand verb;
    std::string argument, parameters;
    bool tell = true;
  };

  Impl(net::Loop& l, const net::SocketAddress& to, std::string name, const Timeouts& t, ConnectionHandler& h)
      : loop(l), address(to), helo(std::move(name)), timeouts(t), handler(&h), deadline(l, [this] { on_late(); }) {}

  void start() {
    deadline.in(timeouts.session);
    stream = net::Stream::connect(loop, address, timeouts.connect, *this);
  }

  // --- what comes from the network ---

  void on_connected() override { connected = true; }

  void on_data(std::string_view bytes) override {
    const auto self = shared_from_this();
    session.receive(bytes);
    while (handler != nullptr) {
      std::optional<smtp::ClientEvent> event = session.next_event();
      if (!event) break;
      on_event(*event);
    }
    if (handler != nullptr) {
      send_waiting();
      flush_session();
    }
  }

  void on_end(std::string_view reason) override {
    const auto self = shared_from_this();
    if (handler == nullptr) return;
    const Stage stage = stage_now();
    timed_out = reason == "connection timed out" || reason == "timed out";
    fail(stage, reason.empty() ? "connection closed by the server" : reason);
  }

  void on_sent() override {
    const auto self = shared_from_this();
    if (content_begun && content != nullptr) {
      pump_content();
    } else if (dot_written && !dot_sent) {
      dot_sent = true;
      deadline.in(timeouts.dot);
    }
  }

  void on_event(smtp::ClientEvent& event) {
    if (event.kind == smtp::ClientEvent::Kind::kReply) {
      on_reply(event.command, event.reply);
      return;
    }
    if (event.kind == smtp::ClientEvent::Kind::kBroken) {
      fail(stage_now(), event.error);
      return;
    }
    const std::string text = event.reply.text();
    fail(stage_now(), text, std::move(event.reply));
  }

  void on_reply(ClientCommand verb, mail::Reply& reply) {
    if (reply.code == 421) spent = true;
    if (!answers(verb, reply)) {
      const std::string text = "unexpected reply " + reply.text();
      fail(stage_of(verb), text);
      return;
    }
    if (verb == ClientCommand::kBanner || verb == ClientCommand::kEhlo || verb == ClientCommand::kHelo) {
      on_greeting(verb, reply);
      return;
    }
    const bool tell = !sent.empty() && sent.front();
    if (!sent.empty()) sent.pop_front();
    wait_for_answers();
    if (tell) on_answer(verb, reply);
  }

  void on_greeting(ClientCommand verb, mail::Reply& reply) {
    if (verb == ClientCommand::kEhlo && reply.permanent()) {
      session.helo(helo);
    } else if (!reply.positive()) {
      refuse(stage_of(verb), std::move(reply));
    } else if (verb == ClientCommand::kBanner) {
      banner = std::move(reply);
      session.ehlo(helo);
    } else {
      ehlo_reply = std::move(reply);
      greeted = true;
      deadline.none();
      handler->on_ready();
    }
  }

  // RFC 5321 section 3.1: a client that is refused at the banner says QUIT.
  void refuse(Stage stage, mail::Reply reply) {
    const std::string text = reply.text();
    if (!spent) {
      session.quit();
      flush_session();
      stream->close_when_sent();
    }
    fail(stage, text, std::move(reply));
  }

  void on_answer(ClientCommand verb, const mail::Reply& reply) {
    switch (verb) {
      case ClientCommand::kMail:
        mail_answered = reply.positive();
        if (!mail_answered) end_transaction();
        handler->on_mail(reply);
        break;
      case ClientCommand::kRcpt: handler->on_rcpt(reply); break;
      case ClientCommand::kData:
        if (reply.intermediate()) {
          begin_content();
        } else {
          end_transaction();
          if (!spent) ask({ClientCommand::kRset, {}, {}, false});  // many servers keep the transaction open
          handler->on_data_refused(reply);
        }
        break;
      case ClientCommand::kDot:
        if (!dot_sent && reply.positive()) {
          fail(Stage::kContent, "answered before the end of the content");
          break;
        }
        if (!dot_sent) spent = true;  // refused before it had all: out of step
        end_transaction();
        handler->on_sent(reply);
        break;
      case ClientCommand::kRset: handler->on_reset(reply); break;
      default: break;
    }
  }

  // --- commands ---

  void ask(Command command) {
    if (may_send()) {
      send(command);
    } else {
      waiting.push_back(std::move(command));
    }
    flush_session();
  }

  bool may_send() const { return session.outstanding() == 0 || (waiting.empty() && session.capabilities().pipelining); }

  void send_waiting() {
    while (!waiting.empty() && session.outstanding() == 0) {
      const Command command = std::move(waiting.front());
      waiting.pop_front();
      send(command);
    }
  }

  void send(const Command& command) {
    const bool first = session.outstanding() == 0;
    switch (command.verb) {
      case ClientCommand::kMail: session.mail(command.argument, command.parameters); break;
      case ClientCommand::kRcpt: session.rcpt(command.argument); break;
      case ClientCommand::kData: session.data(); break;
      case ClientCommand::kRset: session.rset(); break;
      default: base::panic("a command that no transaction has");
    }
    sent.push_back(command.tell);
    if (first) deadline.in(command.verb == ClientCommand::kData ? timeouts.data : timeouts.command);
  }

  void flush_session() {
    std::string& out = session.output();
    if (out.empty() || stream == nullptr) return;
    stream->write(out);
    out.clear();
  }

  // --- content ---

  void begin_content() {
    content_begun = true;
    pump_content();
  }

  void pump_content() {
    flush_session();
    while (content != nullptr && stream->unsent() < kWindow) {
      const base::Result<std::string_view> piece = content->next();
      if (!piece) {
        fail(Stage::kLocal, piece.error().text);
        return;
      }
      if (!piece->empty()) {
        stream->write(*piece);
        continue;
      }
      content = nullptr;
      session.end_content();
      sent.push_back(true);
      dot_written = true;
      flush_session();
    }
    unsent_before = stream->unsent();
    deadline.in(timeouts.content);
  }

  void end_transaction() {
    in_transaction = false;
    content = nullptr;
    content_begun = dot_written = dot_sent = false;
    waiting.clear();
    for (auto&& tell : sent) tell = false;
  }

  // --- time ---

  void wait_for_answers() {
    if (session.outstanding() > 0) {
      deadline.in(timeouts.command);
    } else {
      deadline.none();
    }
  }

  void on_late() {
    const auto self = shared_from_this();
    if (handler == nullptr) return;
    if (content_moves()) {
      deadline.in(timeouts.content);
    } else {
      timed_out = true;
      fail(stage_now(), "timed out");
    }
  }

  bool content_moves() {
    if (!content_begun || dot_sent) return false;
    const std::size_t now = stream->unsent();
    return now < std::exchange(unsent_before, now);
  }

  // --- ends ---

  Stage stage_now() const {
    if (!connected) return Stage::kConnect;
    if (!greeted) return banner.code == 0 ? Stage::kBanner : Stage::kEhlo;
    if (content_begun) return dot_sent ? Stage::kDot : Stage::kContent;
    if (!in_transaction) return Stage::kNone;
    if (!mail_answered) return Stage::kMail;
    return content != nullptr ? Stage::kData : Stage::kRcpt;
  }

  void fail(Stage stage, std::string_view what, mail::Reply reply = {}) {
    const Failure failure{.stage = stage,
                          .reason = reason_at(stage, what),
                          .reply = std::move(reply),
                          .mail_answered = in_transaction && mail_answered,
                          .dot_sent = dot_sent,
                          .timed_out = timed_out};
    ConnectionHandler* told = std::exchange(handler, nullptr);
    cut();
    if (told != nullptr) told->on_failed(failure);
  }

  void cut() {
    handler = nullptr;
    content = nullptr;
    deadline.none();
    if (stream != nullptr && stream->open()) stream->close();
    loop.bury(std::move(stream));
  }

  net::Loop& loop;
  net::SocketAddress address;
  std::string helo;
  Timeouts timeouts;
  ConnectionHandler* handler;  // null: no more events
  std::unique_ptr<net::Stream> stream;
  smtp::ClientSession session;
  mail::Reply banner, ehlo_reply;
  std::deque<bool> sent;        // for each command outstanding in the session: tell the handler?
  std::deque<Command> waiting;  // not sent yet
  ContentSource* content = nullptr;
  Deadline deadline;
  std::size_t unsent_before = 0;
  std::uint32_t transactions = 0;
  bool connected = false, greeted = false, spent = false, timed_out = false;
  bool in_transaction = false, mail_answered = false;
  bool content_begun = false, dot_written = false, dot_sent = false;
};

Connection::Connection(net::Loop& loop, const net::SocketAddress& to, std::string helo, const Timeouts& timeouts,
                       ConnectionHandler& handler)
    : impl_(std::make_shared<Impl>(loop, to, std::move(helo), timeouts, handler)) {
  impl_->start();
}

Connection::~Connection() { impl_->cut(); }

void Connection::set_handler(ConnectionHandler& handler) {
  if (impl_->handler != nullptr) impl_->handler = &handler;
}

void Connection::set_timeouts(const Timeouts& timeouts) { impl_->timeouts = timeouts; }

void Connection::mail(std::string_view sender, std::string_view parameters) {
  base::expect(impl_->greeted && !impl_->in_transaction, "MAIL inside a transaction");
  impl_->in_transaction = true;
  impl_->mail_answered = false;
  ++impl_->transactions;
  impl_->ask({ClientCommand::kMail, std::string(sender), std::string(parameters)});
}

void Connection::rcpt(std::string_view recipient) {
  base::expect(impl_->in_transaction && !sending(), "RCPT outside a transaction");
  impl_->ask({ClientCommand::kRcpt, std::string(recipient), {}});
}

void Connection::send(ContentSource& content) {
  base::expect(impl_->in_transaction && impl_->mail_answered && impl_->sent.empty() && impl_->waiting.empty(),
               "DATA before all is answered");
  impl_->content = &content;
  impl_->ask({ClientCommand::kData, {}, {}});
}

void Connection::reset() {
  base::expect(!sending(), "RSET inside DATA");
  impl_->end_transaction();
  impl_->ask({ClientCommand::kRset, {}, {}});
}

void Connection::quit() {
  const auto impl = impl_;
  impl->handler = nullptr;
  if (ready() && !sending()) {
    impl->session.quit();
    impl->flush_session();
    impl->stream->close_when_sent();
  }
  impl->cut();
}

void Connection::close() { impl_->cut(); }

std::string Connection::mail_parameters(std::uint64_t size, bool eightbit) const {
  std::string out;
  const mail::Capabilities& can = capabilities();
  if (can.size && size > 0) out = fmt::format("SIZE={}", size);
  if (eightbit && can.eightbitmime) out += out.empty() ? "BODY=8BITMIME" : " BODY=8BITMIME";
  return out;
}

bool Connection::ready() const { return impl_->greeted && impl_->stream != nullptr && impl_->stream->open(); }
bool Connection::in_transaction() const { return impl_->in_transaction; }
bool Connection::sending() const { return impl_->content != nullptr || impl_->content_begun; }
bool Connection::dot_sent() const { return impl_->dot_sent; }
bool Connection::idle() const {
  return ready() && !impl_->in_transaction && impl_->sent.empty() && impl_->waiting.empty();
}
bool Connection::spent() const { return impl_->spent; }
std::uint32_t Connection::transactions() const { return impl_->transactions; }
const mail::Capabilities& Connection::capabilities() const { return impl_->session.capabilities(); }
const mail::Reply& Connection::banner() const { return impl_->banner; }
const mail::Reply& Connection::ehlo_reply() const { return impl_->ehlo_reply; }
const net::SocketAddress& Connection::address() const { return impl_->address; }

}  // namespace holdfast::upstream
