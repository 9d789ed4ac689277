#include "bench/load_client.h"

#include <utility>

namespace holdfast::bench {

using smtp::ClientCommand;

LoadClient::LoadClient(net::Loop& loop, const Manner& manner, Hooks hooks)
    : loop_(loop), manner_(manner), hooks_(std::move(hooks)) {}

LoadClient::~LoadClient() = default;

void LoadClient::start(Task task) {
  task_ = std::move(task);
  sent_ = 0;
  session_.emplace();
  stream_ = net::Stream::connect(loop_, manner_.server, manner_.patience, *this);
  stream_->set_idle_timeout(manner_.patience);
}

void LoadClient::on_data(std::string_view bytes) {
  session_->receive(bytes);
  while (stream_) {
    const auto event = session_->next_event();
    if (!event) break;
    on_reply(*event);
  }
  if (!stream_) return;
  stream_->write(session_->output());
  session_->output().clear();
}

void LoadClient::on_reply(const smtp::ClientEvent& event) {
  if (event.kind != smtp::ClientEvent::Kind::kReply) {
    over(event.kind == smtp::ClientEvent::Kind::kBroken ? event.error : event.reply.text());
  } else if (event.command == ClientCommand::kQuit) {
    over("");
  } else if (event.reply.positive() || event.reply.intermediate()) {
    proceed(event.command);
  } else {
    settle(event.reply.text());
    leave();
  }
}

void LoadClient::proceed(ClientCommand answered) {
  switch (answered) {
    case ClientCommand::kBanner: session_->ehlo("load.test"); return;
    case ClientCommand::kEhlo: session_->mail(manner_.sender); return;
    case ClientCommand::kMail: session_->rcpt(task_->recipient); return;
    case ClientCommand::kRcpt: session_->data(); return;
    case ClientCommand::kData:
      stream_->write(manner_.content);
      session_->end_content();
      return;
    default: settle(""); next_message();
  }
}

void LoadClient::next_message() {
  if (++sent_ < manner_.per_connection) task_ = hooks_.next();
  if (!task_) return leave();
  session_->mail(manner_.sender);
}

void LoadClient::settle(const std::string& problem) {
  if (task_) hooks_.done(*std::exchange(task_, std::nullopt), problem);
}

void LoadClient::leave() { session_->quit(); }

void LoadClient::on_end(std::string_view reason) { over(reason.empty() ? "connection closed" : std::string(reason)); }

void LoadClient::over(const std::string& problem) {
  settle(problem);
  stream_->close();
  loop_.bury(std::move(stream_));
  hooks_.idle();
}

}  // namespace holdfast::bench
