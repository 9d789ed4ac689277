#include "gatewayctl/sink_session.h"

#include <utility>

namespace holdfast::gatewayctl::sink {
namespace {

// Of replies that a client does not read; no more of its commands are looked at meanwhile.
constexpr std::size_t kMaxUnsent = 64 << 10;

}  // namespace

Session::Session(net::Loop& loop, base::UniqueFd fd, const net::SocketAddress& peer, const smtp::ServerOptions& options,
                 Rules& rules, Store& store, std::function<void()> ended)
    : rules_(rules),
      store_(store),
      core_(options),
      ended_(std::move(ended)),
      timer_(loop,
             [this] {
               stalled_ = false;
               if (over_) return;
               if (core_.awaits_answer()) accept();
               pump();
             }),
      stream_(loop, std::move(fd), *this) {
  message_.client = peer.host();
}

Session::~Session() = default;

void Session::on_data(std::string_view bytes) {
  core_.receive(bytes);
  pump();
}

void Session::on_end(std::string_view) { end(); }

void Session::pump() {
  while (!stalled_ && !over_ && core_.output().size() + stream_.unsent() < kMaxUnsent) {
    auto event = core_.next_event();
    if (!event) break;
    std::visit([this](const auto& e) { on(e); }, *event);
  }
  if (over_) return;
  stream_.write(core_.output());
  core_.output().clear();
  if (core_.closing()) {
    stream_.close_when_sent();
    end();
  } else if (core_.buffered() > smtp::ServerSession::kMaxBuffered || stream_.unsent() >= kMaxUnsent) {
    stream_.pause_reading();
  } else {
    stream_.resume_reading();
  }
}

void Session::on(const smtp::event::Connect&) { act(Stage::kConnect, {}); }

void Session::on(const smtp::event::Helo& event) {
  message_.helo = event.name;
  act(Stage::kEhlo, {});
}

void Session::on(const smtp::event::Mail& event) {
  message_.sender = event.sender.text();
  act(Stage::kMail, {});
}

void Session::on(const smtp::event::Rcpt& event) {
  recipient_ = event.recipient.text();
  act(Stage::kRcpt, {recipient_});
}

void Session::on(const smtp::event::Data&) { act(Stage::kData, message_.recipients); }

void Session::on(const smtp::event::Content& event) {
  if (store_.wants_content()) message_.wire += event.bytes;
  if (stage_ == Stage::kContent) return;  // its rule was asked at the first bytes
  act(Stage::kContent, message_.recipients);
}

void Session::on(const smtp::event::ContentEnd& event) {
  message_.octets = event.octets;
  if (!event.refusal) return act(Stage::kDot, message_.recipients);
  core_.reply(*event.refusal);
  forget();
}

void Session::act(Stage stage, const std::vector<std::string>& recipients) {
  stage_ = stage;
  const Action action = rules_.decide(stage, message_.sender, recipients);
  switch (action.kind) {
    case Action::Kind::kAccept: return accept();
    case Action::Kind::kStall: return stall(action.stall);
    case Action::Kind::kDrop: return drop();
    case Action::Kind::kReply: break;
  }
  ++(action.reply.permanent() ? store_.counts.refused : store_.counts.tempfailed);
  core_.reply(action.reply);
  if (stage == Stage::kMail || stage == Stage::kDot) forget();
}

void Session::accept() {
  if (stage_ == Stage::kContent) return;  // awaits no answer
  if (stage_ == Stage::kRcpt) message_.recipients.push_back(recipient_);
  if (stage_ != Stage::kDot) return core_.accept();
  const auto taken = store_.take(message_);
  forget();
  if (taken) return core_.accept();
  core_.reply(mail::Reply::make(452, "4.3.1", taken.error().text));
}

void Session::stall(const std::optional<base::Millis>& wait) {
  ++store_.counts.stalled;
  stalled_ = true;
  if (wait) timer_.start(*wait);
}

void Session::drop() {
  ++store_.counts.dropped;
  end();
  stream_.write(core_.output());
  stream_.flush();
  stream_.close();
}

void Session::cut() {
  over_ = true;
  stream_.close();
}

void Session::forget() {
  message_.sender.clear();
  message_.recipients.clear();
  message_.wire.clear();
  message_.octets = 0;
}

void Session::end() {
  if (!std::exchange(over_, true)) ended_();
}

}  // namespace holdfast::gatewayctl::sink
