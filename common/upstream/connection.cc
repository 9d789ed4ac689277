#include "common/upstream/connection.h"

#include <utility>

#include <fmt/format.h>

#include "common/base/panic.h"
#include "common/upstream/connection_impl.h"

namespace holdfast::upstream {
namespace {

// Content in our buffer at once; the kernel's comes on top.
constexpr std::size_t kWindow = 256 << 10;

// A server may say 20 kB at once; a reason is one line for the log.
constexpr std::size_t kMaxReason = 500;

std::string reason_at(Stage stage, std::string_view what) {
  const std::string_view where = mail::to_text(stage);
  what = what.substr(0, kMaxReason);
  return where.empty() ? std::string(what) : fmt::format("{}: {}", where, what);
}

}  // namespace

void Connection::Impl::ask(Command command) {
  if (may_send()) {
    send(command);
  } else {
    waiting.push_back(std::move(command));
  }
  flush_session();
}

void Connection::Impl::send_waiting() {
  while (!waiting.empty() && session.outstanding() == 0) {
    const Command command = std::move(waiting.front());
    waiting.pop_front();
    send(command);
  }
}

void Connection::Impl::send(const Command& command) {
  const bool first = session.outstanding() == 0;
  switch (command.verb) {
    case ClientCommand::kMail: session.mail(command.argument, command.parameters); break;
    case ClientCommand::kRcpt: session.rcpt(command.argument, command.parameters); break;
    case ClientCommand::kData: session.data(); break;
    case ClientCommand::kRset: session.rset(); break;
    default: base::panic("a command that no transaction has");
  }
  sent.push_back(command.tell);
  if (first) deadline.in(command.verb == ClientCommand::kData ? timeouts.data : timeouts.command);
}

void Connection::Impl::flush_session() {
  std::string& out = session.output();
  if (out.empty() || stream == nullptr) return;
  stream->write(out);
  out.clear();
}

void Connection::Impl::begin_content() {
  content_begun = true;
  pump_content();
}

void Connection::Impl::pump_content() {
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
    sent.resize(session.outstanding(), true);  // by LMTP more than one
    dot_written = true;
    flush_session();
  }
  unsent_before = stream->unsent();
  deadline.in(timeouts.content);
}

void Connection::Impl::end_transaction() {
  in_transaction = false;
  content = nullptr;
  content_begun = dot_written = dot_sent = false;
  waiting.clear();
  for (auto&& tell : sent) tell = false;
}

// The answers to one dot have one time together.
void Connection::Impl::wait_for_answers() {
  if (dot_sent && session.outstanding() > 0) return;
  if (session.outstanding() > 0) {
    deadline.in(timeouts.command);
  } else {
    deadline.none();
  }
}

void Connection::Impl::on_late() {
  const auto self = shared_from_this();
  if (handler == nullptr) return;
  if (content_moves()) {
    deadline.in(timeouts.content);
  } else {
    timed_out = true;
    fail(stage_now(), "timed out");
  }
}

bool Connection::Impl::content_moves() {
  if (!content_begun || dot_sent) return false;
  const std::size_t now = stream->unsent();
  return now < std::exchange(unsent_before, now);
}

Stage Connection::Impl::stage_now() const {
  if (socketless) return Stage::kLocal;
  if (!connected) return Stage::kConnect;
  if (!greeted) return greeting;
  if (content_begun) return dot_sent ? Stage::kDot : Stage::kContent;
  if (!in_transaction) return Stage::kNone;
  if (!mail_answered) return Stage::kMail;
  return content != nullptr ? Stage::kData : Stage::kRcpt;
}

void Connection::Impl::fail(Stage stage, std::string_view what, mail::Reply reply) {
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

void Connection::Impl::cut() {
  handler = nullptr;
  content = nullptr;
  deadline.none();
  if (stream != nullptr && stream->open()) stream->close();
  loop.bury(std::move(stream));
}

Connection::Connection(net::Loop& loop, const net::SocketAddress& to, std::string helo, const Timeouts& timeouts,
                       ConnectionHandler& handler, std::shared_ptr<const Security> security, std::string server,
                       Opening opening)
    : impl_(std::make_shared<Impl>(loop, to, std::move(helo), timeouts, handler, std::move(security), std::move(server),
                                   std::move(opening))) {
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

void Connection::rcpt(std::string_view recipient, std::string_view parameters) {
  base::expect(impl_->in_transaction && !sending(), "RCPT outside a transaction");
  impl_->ask({ClientCommand::kRcpt, std::string(recipient), std::string(parameters)});
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

void Connection::tell(ClientPtr client) {
  base::expect(idle() && may_tell(), "XCLIENT where it cannot be");
  impl_->opening.client = std::move(client);
  impl_->greeted = impl_->logged_in = false;
  impl_->told_client = nullptr;
  impl_->deadline.in(impl_->timeouts.session);
  impl_->greeted_by_server();
  impl_->flush_session();
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

std::string Connection::mail_parameters(const smtp::MailParameters& message) const {
  return smtp::mail_parameters(capabilities(), message);
}

std::string Connection::rcpt_parameters(std::string_view notify, std::string_view orcpt) const {
  return smtp::rcpt_parameters(capabilities(), notify, orcpt);
}

bool Connection::secured() const { return impl_->secured; }
bool Connection::fell_back() const { return impl_->fell_back; }
bool Connection::may_tell() const {
  return impl_->opening.manner.tell == Manner::Tell::kXclient && !impl_->session.offers().xclient_names.empty();
}
const ClientPtr& Connection::client() const { return impl_->told_client; }
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
