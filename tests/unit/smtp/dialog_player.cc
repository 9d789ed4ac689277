// Plays every script of tests/dialogs (dialog_script.h) against ServerSession: in one piece, byte by byte, in
// 20 random splits, each with answers given at once and with answers given only when all bytes are there.
//
//   dialog_player [--seed N] [FILE…]        no FILE: all of tests/dialogs
#include <functional>
#include <random>
#include <stdexcept>
#include <utility>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/mail/envelope.h"
#include "tests/unit/smtp/dialog_files.h"
#include "tests/unit/smtp/dialog_script.h"

namespace holdfast::smtp::dialog {
namespace {

struct Played {
  std::string server;
  std::vector<std::string> events;
  bool closed = false;
};

// An adapter that answers as the script says, and writes down the events.
class Player {
 public:
  explicit Player(const Script& script) : answers_(script.answers), session_(script.options) {}

  Played play(const Script& script, const std::function<std::size_t()>& cut, bool late) {
    std::string_view client = script.client;
    std::size_t sent = 0;
    for (const std::size_t handshake : script.handshakes) {
      feed(client.substr(0, handshake - sent), cut, late);
      client.remove_prefix(handshake - sent);
      sent = handshake;
      if (session_.state() != State::kHandshake) throw std::runtime_error("tls without STARTTLS");
      session_.tls_started();
    }
    feed(client, cut, late);
    flush_content();
    return {session_.output(), events_, session_.closing()};
  }

 private:
  void feed(std::string_view bytes, const std::function<std::size_t()>& cut, bool late) {
    if (!late) pump();
    while (!bytes.empty()) {
      const std::string piece(bytes.substr(0, cut()));
      bytes.remove_prefix(piece.size());
      session_.receive(piece);
      if (!late) pump();
    }
    pump();
  }
  void pump() {
    while (auto event = session_.next_event()) std::visit([this](auto& e) { on(e); }, *event);
  }

  void note(std::string text) {
    flush_content();
    events_.push_back(std::move(text));
  }
  void flush_content() {
    if (!content_.empty()) events_.push_back("content " + escape(std::exchange(content_, {})));
  }
  void answer(std::string_view name) {
    auto& list = answers_[std::string(name)];
    std::string text = "accept";
    if (!list.empty()) {
      text = list.front();
      list.pop_front();
    }
    if (text == "accept") return session_.accept();
    session_.reply(parse_reply(text));
  }

  void on(event::Connect&) { answer("connect"); }
  void on(event::Helo&) { answer("helo"); }
  void on(event::Mail& e) {
    std::string text = fmt::format("mail <{}>", escape(e.sender.text()));
    if (e.size) text += fmt::format(" size={}", *e.size);
    if (e.body == mail::Body::k8BitMime) text += " 8bit";
    if (e.smtputf8) text += " smtputf8";
    if (!e.ret.empty()) text += fmt::format(" ret={}", e.ret);
    if (!e.envid.empty()) text += fmt::format(" envid={}", e.envid);
    note(text);
    answer("mail");
  }
  void on(event::Rcpt& e) {
    std::string text = fmt::format("rcpt <{}>", escape(e.recipient.text()));
    if (!e.notify.empty()) text += fmt::format(" notify={}", e.notify);
    if (!e.orcpt.empty()) text += fmt::format(" orcpt={}", escape(e.orcpt));
    note(text);
    answer("rcpt");
  }
  void on(event::Data&) {
    note("data");
    answer("data");
  }
  void on(event::Content& e) { content_ += e.bytes; }
  void on(event::ContentEnd& e) {
    if (e.refusal) {
      content_.clear();  // how much was given out before depends on the split
      note("refused");
      return session_.reply(*e.refusal);
    }
    note(fmt::format("end {}", e.octets));
    answer("end");
  }
  void on(event::Reset&) { note("reset"); }
  void on(event::Quit&) { note("quit"); }
  void on(event::StartTls&) {
    note("starttls");
    answer("starttls");
  }
  void on(event::Xclient& e) {
    std::string text = "xclient";
    const auto add = [&text](std::string_view name, const std::optional<std::string>& value) {
      if (value) text += fmt::format(" {}=\"{}\"", name, escape(*value));
    };
    add("name", e.attributes->name);
    add("addr", e.attributes->addr);
    add("port", e.attributes->port);
    add("proto", e.attributes->proto);
    add("helo", e.attributes->helo);
    add("login", e.attributes->login);
    add("destaddr", e.attributes->destaddr);
    add("destport", e.attributes->destport);
    note(text);
    answer("xclient");
  }
  void on(event::Rejected& e) { note(fmt::format("rejected {}", e.reply.code)); }

  std::map<std::string, std::deque<std::string>, std::less<>> answers_;
  ServerSession session_;
  std::string content_;
  std::vector<std::string> events_;
};

void require(const std::string& got, const std::string& want, std::string_view what) {
  if (got != want) throw std::runtime_error(fmt::format("{} differ\n--- expected\n{}\n--- got\n{}", what, want, got));
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += line + '\n';
  return out;
}

void check(const Script& script, const Played& played) {
  require(played.server, script.server, "the server's words");
  if (!script.events.empty()) require(joined(played.events), joined(script.events), "the events");
  require(played.closed ? "closing" : "open", script.closed ? "closing" : "open", "the ends");
}

void play_all_ways(const Script& script, std::uint32_t seed) {
  std::mt19937 random(seed);
  for (const bool late : {false, true}) {
    const auto one = [&](const std::function<std::size_t()>& cut) {
      check(script, Player(script).play(script, cut, late));
    };
    one([] { return std::string::npos; });
    one([] { return std::size_t{1}; });
    for (int i = 0; i < 20; ++i) one([&] { return std::size_t{1} + random() % 40; });
  }
}

}  // namespace
}  // namespace holdfast::smtp::dialog

int main(int argc, char** argv) {
  using namespace holdfast::smtp::dialog;
  return play_files({argv + 1, argv + argc}, HOLDFAST_DIALOGS,
                    [](const std::string& text, std::uint32_t seed) { play_all_ways(parse(text), seed); });
}
