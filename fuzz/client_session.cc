// The client half of SMTP. The input is what a server sends, with our commands at places of its choice; a reader of
// replies of this file's own says what the session has to tell. Everything twice, in pieces of two kinds.
#include <algorithm>
#include <deque>
#include <optional>

#include <fmt/core.h>

#include "common/base/panic.h"
#include "common/smtp/client_session.h"
#include "fuzz/target.h"
#include "fuzz/wire_checks.h"

namespace holdfast::fuzz {
namespace {

using base::expect;
using smtp::ClientCommand;
using smtp::ClientEvent;

constexpr char kCommandNext = '\xff';  // in the input: the byte behind it chooses a command
constexpr std::size_t kLongestCommand = 2048;

// Replies of a server, read line by line with LF as the end of each, as much of them as can be said without looking at
// the session: code and how many lines.
class ReplyReader {
 public:
  struct Found {
    int code = 0;
    std::size_t lines = 0;
    bool small = true;  // all of it has to be kept
  };

  // The reply that `byte` completes. Nothing more comes behind what is no reply: then wrong() is true.
  std::optional<Found> take(char byte) {
    if (wrong_) return std::nullopt;
    octets_ += 1;
    if (byte != '\n') {
      line_ += byte;
      return std::nullopt;
    }
    if (line_.ends_with('\r')) line_.pop_back();
    const std::string line = std::exchange(line_, {});
    const int code = code_of(line);
    wrong_ = code == 0 || (found_.code != 0 && found_.code != code);
    if (wrong_) return std::nullopt;
    found_.code = code;
    ++found_.lines;
    found_.small = found_.lines <= 200 && octets_ <= 4000;
    if (line.size() > 3 && line[3] == '-') return std::nullopt;
    octets_ = 0;
    return std::exchange(found_, {});
  }
  bool wrong() const { return wrong_; }
  void clear() { *this = {}; }

 private:
  static int code_of(const std::string& line) {
    if (line.size() < 3 || line[0] < '2' || line[0] > '5') return 0;
    if (line[1] < '0' || line[1] > '9' || line[2] < '0' || line[2] > '9') return 0;
    if (line.size() > 3 && line[3] != ' ' && line[3] != '-') return 0;
    return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  }

  std::string line_;
  Found found_;
  std::size_t octets_ = 0;
  bool wrong_ = false;
};

// Drives a session by the input, and keeps all that it says.
class Driver {
 public:
  // `follow`: the session gets single bytes, and each event must be what the reader has found.
  explicit Driver(bool follow) : follow_(follow) {}

  void receive(std::string_view bytes) {
    session_.receive(bytes);
    if (handshake_) return expect(!session_.next_event(), "plain text in the middle of a handshake is heard");
    std::optional<ReplyReader::Found> found;
    if (follow_) found = reader_.take(bytes[0]);
    bool told = false;
    while (!over_ && !handshake_) {
      const auto event = session_.next_event();
      if (!event) break;
      expect(!follow_ || found || reader_.wrong(), "an event without a reply");
      told = true;
      on(*event, found);
    }
    if (follow_ && !over_) expect(!reader_.wrong(), "what is no reply passes for one");
    if (follow_ && !over_ && found) expect(told || !session_.output().empty(), "a reply is swallowed");
    collect();
  }

  void command(std::uint8_t which) {
    if (over_) return;
    if (handshake_) return on_tls();
    const bool idle = session_.outstanding() == 0;
    if (session_.in_content()) {
      if (which % 2 > 0) {
        const std::size_t before = session_.outstanding();
        session_.end_content();
        expect(session_.outstanding() > before, "the dot awaits no answer");
      }
      return collect();
    }
    const std::uint8_t choice = which % 14;
    const bool alone = choice >= 3 && choice <= 5;  // STARTTLS and AUTH: nothing may be before them, nothing follow
    if (session_.outstanding() > 50 || ((alone || alone_) && !idle)) return;
    alone_ = alone;
    switch (choice) {
      case 0: session_.ehlo("me.test"); break;
      case 1: session_.helo("me.test"); break;
      case 2: session_.lhlo("me.test"); break;
      case 3: session_.starttls(); break;
      case 4: session_.auth_plain("user", std::string("pass\0word", 9)); break;
      case 5: session_.auth_login("us\xc3\xa9r", "p"); break;
      case 6: session_.xclient("ADDR=192.0.2.1"); break;
      case 7: session_.mail("", ""); break;
      case 8: session_.mail("a@b.test", "SIZE=1 BODY=8BITMIME"); break;
      case 9: session_.rcpt("\"a b\"@c.test", "NOTIFY=NEVER"); break;
      case 10: session_.data(); break;
      case 11: session_.rset(); break;
      case 12: session_.noop(); break;
      default: session_.quit(); break;
    }
    collect();
  }

  // All that it was told, and all that it said.
  std::string trace() const { return trace_ + said_; }

 private:
  void collect() {
    std::string& out = session_.output();
    check_commands(out, kLongestCommand);
    said_ += out;
    out.clear();
  }

  void on(const ClientEvent& event, const std::optional<ReplyReader::Found>& found) {
    trace_ += fmt::format("{} {} {} ", static_cast<int>(event.kind), to_text(event.command), event.error);
    if (event.kind == ClientEvent::Kind::kBroken) {
      expect(session_.broken() && !event.error.empty() && event.reply.code == 0, "broken, and no word why");
      over_ = true;
      return;
    }
    expect(check_replies(event.reply.wire()) == 1, "a reply that is no reply");
    trace_ += fmt::format("{} [{}] ", event.reply.text(), event.reply.enhanced);
    if (follow_ && found) {
      expect(event.reply.code == found->code, "another reply than the server's");
      expect(event.reply.lines.size() == found->lines || (!found->small && event.reply.lines.size() < found->lines),
             "lines are lost, or nobody sent them");
    }
    if (event.kind == ClientEvent::Kind::kUnasked) {
      over_ = true;
      return;
    }
    // What comes behind the 220 in plain text counts for nothing, however it is cut.
    handshake_ = event.command == ClientCommand::kStartTls && event.reply.positive();
  }

  void on_tls() {
    handshake_ = false;
    expect(session_.outstanding() == 0, "TLS with commands on the way");
    session_.tls_started();
    reader_.clear();
    expect(!session_.capabilities().starttls && !session_.capabilities().esmtp, "offers of before TLS are remembered");
  }

  const bool follow_;
  smtp::ClientSession session_;
  ReplyReader reader_;
  std::string trace_, said_;
  bool over_ = false, handshake_ = false, alone_ = false;
};

std::string play(std::string_view bytes, std::uint8_t pieces, bool follow) {
  Driver driver(follow);
  while (!bytes.empty()) {
    if (bytes[0] == kCommandNext) {
      if (bytes.size() > 1) driver.command(static_cast<std::uint8_t>(bytes[1]));
      bytes.remove_prefix(std::min<std::size_t>(2, bytes.size()));
      continue;
    }
    const auto part = bytes.substr(0, bytes.find(kCommandNext));
    bytes.remove_prefix(part.size());
    feed(part, Cutter(pieces), [&](std::string_view piece) { driver.receive(piece); });
  }
  return driver.trace();
}

void run(std::string_view bytes) {
  Input input(bytes);
  const std::uint8_t pieces = input.byte();
  const auto followed = play(input.rest(), 0, true);
  expect_equal(play(input.rest(), pieces, false), followed, "a session cares for pieces");
  expect_equal(play(input.rest(), 255, false), followed, "a session cares for pieces: whole or byte by byte");
}

[[maybe_unused]] const bool kRegistered = add({"client_session", &run});

}  // namespace
}  // namespace holdfast::fuzz
