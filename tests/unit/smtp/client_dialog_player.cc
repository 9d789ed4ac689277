// Plays every script of tests/dialogs/client against ClientSession: what the server says between two of our steps in
// one piece, byte by byte, and in 20 random splits.
//
//   # comment: the RFC section that the dialogue is about
//   do ehlo gw.test            a command is called: ehlo, helo, lhlo, mail, rcpt, data, end, rset, noop, quit, starttls,
//                              tls (the handshake was made), xclient, plain, login (USER PASSWORD)
//   C: EHLO gw.test            we send this line, and nothing else between two steps
//   S: 250 dest.test           the server sends the line and CRLF
//   R: 250 a\r\n               the server sends these bytes (escapes as in dialog_script.h)
//   E: reply EHLO 250 dest     an event; those of one step must all be listed
//   offers PIPELINING SIZE=100 the capabilities
//   broken                     the session is of no more use
//
//   client_dialog_player [--seed N] [FILE…]        no FILE: all of tests/dialogs/client
#include <algorithm>
#include <functional>
#include <random>
#include <sstream>
#include <stdexcept>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/smtp/client_session.h"
#include "tests/unit/smtp/dialog_files.h"
#include "tests/unit/smtp/dialog_script.h"

namespace holdfast::smtp::dialog {
namespace {

struct Line {
  int number = 0;
  std::string kind, text;
};

std::vector<Line> read_script(const std::string& text) {
  std::vector<Line> out;
  std::istringstream in(text);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    const auto blank = line.find(' ');
    out.push_back({number, line.substr(0, blank), blank == line.npos ? "" : line.substr(blank + 1)});
  }
  if (out.empty()) throw std::runtime_error("an empty script");
  return out;
}

std::string text_of(const ClientEvent& event) {
  switch (event.kind) {
    case ClientEvent::Kind::kReply: return fmt::format("reply {} {}", to_text(event.command), escape(event.reply.text()));
    case ClientEvent::Kind::kUnasked: return fmt::format("unasked {}", escape(event.reply.text()));
    case ClientEvent::Kind::kBroken: return fmt::format("broken {}: {}", to_text(event.command), event.error);
  }
  return "";
}

class Player {
 public:
  explicit Player(std::function<std::size_t()> cut) : cut_(std::move(cut)) {}

  void play(const std::vector<Line>& script) {
    for (const Line& line : script) {
      try {
        take(line);
      } catch (const std::exception& e) {
        throw std::runtime_error(fmt::format("line {}: {}", line.number, e.what()));
      }
    }
    settle();
  }

 private:
  void take(const Line& line) {
    const bool said = line.kind == "S:" || line.kind == "R:";
    if (said && (!events_.empty() || !output_.empty())) settle();
    if (line.kind == "S:") {
      server_ += line.text + "\r\n";
    } else if (line.kind == "R:") {
      server_ += unescape(line.text);
    } else if (line.kind == "C:") {
      output_ += line.text + "\r\n";
    } else if (line.kind == "E:") {
      events_.push_back(line.text);
    } else {
      settle();
      if (line.kind == "do") return call(line.text);
      if (line.kind == "offers") return require(session_.capabilities().text(), line.text);
      if (line.kind == "broken" && session_.broken()) return;
      throw std::runtime_error("no such line, or not so");
    }
  }

  // The server's words are given to the session; events and our own words must then be those that were listed.
  void settle() {
    std::string_view bytes = server_;
    std::vector<std::string> seen;
    const auto look = [&] {
      while (const auto event = session_.next_event()) seen.push_back(text_of(*event));
    };
    while (!bytes.empty()) {
      const std::string piece(bytes.substr(0, cut_()));
      bytes.remove_prefix(piece.size());
      session_.receive(piece);
      look();
    }
    look();
    server_.clear();
    require(joined(seen), joined(std::exchange(events_, {})));
    require(escape(std::exchange(session_.output(), {})), escape(std::exchange(output_, {})));
  }

  void call(std::string_view text) {
    const auto words = base::split(text, ' ');
    const std::string_view name = words[0], rest = text.substr(std::min(text.size(), name.size() + 1));
    const auto first = rest.substr(0, rest.find(' ')), second = rest.substr(std::min(rest.size(), first.size() + 1));
    const auto path = [](std::string_view s) { return s.substr(1, s.size() - 2); };
    if (name == "ehlo") return session_.ehlo(rest);
    if (name == "helo") return session_.helo(rest);
    if (name == "lhlo") return session_.lhlo(rest);
    if (name == "mail") return session_.mail(path(first), second);
    if (name == "rcpt") return session_.rcpt(path(first), second);
    if (name == "data") return session_.data();
    if (name == "end") return session_.end_content();
    if (name == "rset") return session_.rset();
    if (name == "noop") return session_.noop();
    if (name == "quit") return session_.quit();
    if (name == "starttls") return session_.starttls();
    if (name == "tls") return session_.tls_started();
    if (name == "xclient") return session_.xclient(rest);
    if (name == "plain") return session_.auth_plain(first, second);
    if (name == "login") return session_.auth_login(first, second);
    throw std::runtime_error("no such command");
  }

  static std::string joined(const std::vector<std::string>& lines) {
    std::string out;
    for (const auto& line : lines) out += line + '\n';
    return out;
  }
  static void require(const std::string& got, const std::string& want) {
    if (got != want) throw std::runtime_error(fmt::format("they differ\n--- expected\n{}\n--- got\n{}", want, got));
  }

  std::function<std::size_t()> cut_;
  ClientSession session_;
  std::string server_, output_;
  std::vector<std::string> events_;
};

void play_all_ways(const std::string& text, std::uint32_t seed) {
  const auto script = read_script(text);
  std::mt19937 random(seed);
  Player([] { return std::string::npos; }).play(script);
  Player([] { return std::size_t{1}; }).play(script);
  for (int i = 0; i < 20; ++i) Player([&] { return std::size_t{1} + random() % 40; }).play(script);
}

}  // namespace
}  // namespace holdfast::smtp::dialog

int main(int argc, char** argv) {
  return holdfast::smtp::dialog::play_files({argv + 1, argv + argc}, HOLDFAST_DIALOGS "/client",
                                            holdfast::smtp::dialog::play_all_ways);
}
