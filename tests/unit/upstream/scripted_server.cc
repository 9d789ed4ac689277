#include "tests/unit/upstream/scripted_server.h"

#include <algorithm>

#include "common/base/panic.h"
#include "common/net/proxy_header.h"

namespace holdfast::test {

Bench::Bench() {
  loop.on_turn_end([this] {
    if (truth_ && truth_()) {
      held_ = true;
      truth_ = nullptr;
      loop.stop();
    }
  });
  guard_ = std::make_unique<net::Timer>(loop, [this] { loop.stop(); });
  tick_ = std::make_unique<net::Timer>(loop, [] {});  // so that a truth that no event announces is seen
}

bool Bench::until(std::function<bool()> truth, net::Millis limit) {
  truth_ = std::move(truth);
  held_ = false;
  guard_->start(limit);
  tick_->every(net::Millis{5});
  loop.run();
  tick_->stop();
  guard_->stop();
  truth_ = nullptr;
  return held_;
}

struct ScriptedServer::Session : net::StreamHandler {
  explicit Session(ScriptedServer& s) : server(s) {}
  void on_data(std::string_view bytes) override { server.take(*this, bytes); }
  void on_end(std::string_view) override { server.remove(*this); }

  ScriptedServer& server;
  std::unique_ptr<net::Stream> stream;
  std::string pending, content;
  bool in_content = false, introduced = false;
};

ScriptedServer::ScriptedServer(net::Loop& loop, std::uint16_t port)
    : replies{{"banner", "220 scripted ESMTP"},
              {"EHLO", "250-scripted\r\n250-PIPELINING\r\n250-SIZE 50000000\r\n250 8BITMIME"},
              {"HELO", "250 scripted"},
              {"MAIL", "250 2.1.0 Ok"},
              {"RCPT", "250 2.1.5 Ok"},
              {"DATA", "354 go on"},
              {".", "250 2.0.0 Ok: taken"},
              {"RSET", "250 2.0.0 Ok"},
              {"QUIT", "-221 2.0.0 Bye"}},
      loop_(loop) {
  auto fd = net::listen_on(*net::SocketAddress::ip("127.0.0.1", port));
  base::expect(fd.has_value(), "no port to listen on");
  listening_ = fd->get();
  sockaddr_storage raw{};
  socklen_t length = sizeof raw;
  ::getsockname(fd->get(), reinterpret_cast<sockaddr*>(&raw), &length);
  port_ = net::SocketAddress(reinterpret_cast<sockaddr*>(&raw), length).port();
  listener_ = std::make_unique<net::Listener>(loop, std::move(*fd), [this](base::UniqueFd client, net::SocketAddress) {
    ++connections;
    ++open;
    auto session = std::make_unique<Session>(*this);
    session->stream = std::make_unique<net::Stream>(loop_, std::move(client), *session);
    Session& made = *session;
    sessions_.push_back(std::move(session));
    answer(made, replies["banner"]);
  });
}

ScriptedServer::~ScriptedServer() = default;

net::SocketAddress ScriptedServer::address() const { return *net::SocketAddress::ip("127.0.0.1", port_); }

// A Listener lets go of its socket some turns later; this refuses at once.
void ScriptedServer::stop() {
  ::shutdown(listening_, SHUT_RDWR);
  listener_.reset();
}

void ScriptedServer::cut() {
  for (const auto& session : std::exchange(sessions_, {})) session->stream->close();
  open = 0;
}

std::size_t ScriptedServer::count(const std::string& word) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(lines, [&](const auto& line) { return line.starts_with(word); }));
}

void ScriptedServer::say(const std::string& line) {
  for (const auto& session : sessions_) session->stream->write(line + "\r\n");
}

void ScriptedServer::take(Session& session, std::string_view bytes) {
  session.pending.append(bytes);
  if (proxied && !session.introduced && !read_header(session)) return;
  std::size_t at_once = 0;
  while (session.stream) {
    const std::size_t end = session.pending.find("\r\n");
    if (end == std::string::npos) break;
    std::string line = session.pending.substr(0, end);
    session.pending.erase(0, end + 2);
    if (!session.in_content) ++at_once;
    on_line(session, std::move(line));
    if (std::ranges::none_of(sessions_, [&](const auto& s) { return s.get() == &session; })) return;
  }
  most_lines_at_once = std::max(most_lines_at_once, at_once);
}

bool ScriptedServer::read_header(Session& session) {
  const auto header = net::parse_proxy_header(session.pending);
  base::expect(header.status != net::ProxyHeader::Status::kBad, "no PROXY header");
  if (header.status == net::ProxyHeader::Status::kIncomplete) return false;
  clients.push_back(header.client ? header.client->text() : "local");
  session.pending.erase(0, header.length);
  return session.introduced = true;
}

void ScriptedServer::on_line(Session& session, std::string line) {
  if (session.in_content && line != ".") {
    session.content += line + "\r\n";
    return;
  }
  if (session.in_content) {
    messages.push_back(std::exchange(session.content, {}));
    session.in_content = false;
  }
  lines.push_back(line);
  std::optional<std::string> reply;
  if (judge) reply = judge(line);
  if (!reply) reply = replies[line.substr(0, line.find(' '))];
  if (line == "DATA" && reply->starts_with("354")) {
    session.in_content = true;
    if (!read_content) session.stream->pause_reading();
  }
  const bool start_tls = line == "STARTTLS" && reply->starts_with("220") && tls != nullptr;
  if (start_tls) *reply += "\r\n" + behind_starttls;
  if (start_tls) reply->erase(reply->size() - 2);  // answer() ends the line
  answer(session, *reply);
  if (start_tls) session.stream->start_tls(tls, net::Millis{5'000});
}

void ScriptedServer::answer(Session& session, const std::string& reply) {
  if (reply.empty()) return;
  const bool cut = reply[0] == '-' || reply == kCut;
  if (reply != kCut) session.stream->write(reply.substr(reply[0] == '-' ? 1 : 0) + "\r\n");
  if (!cut) return;
  session.stream->flush();
  session.stream->close();
  remove(session);
}

void ScriptedServer::remove(Session& session) {
  const auto found = std::ranges::find_if(sessions_, [&](const auto& s) { return s.get() == &session; });
  if (found == sessions_.end()) return;
  --open;
  loop_.bury(std::move(*found));
  sessions_.erase(found);
}

}  // namespace holdfast::test
