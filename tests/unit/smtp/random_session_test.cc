// Dialogues that nobody would write: the bytes of the scripts, cut, mixed and bent. Whatever comes, the
// session must not care how it was cut into pieces, and what goes on from it must be unambiguous.
#include <filesystem>
#include <random>
#include <variant>

#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/smtp/client_session.h"
#include "common/smtp/server_session.h"
#include "tests/unit/smtp/dialog_script.h"

namespace holdfast::smtp {
namespace {

using Random = std::mt19937;
constexpr int kRounds = 3000;

struct Corpus {
  std::vector<std::string> clients, servers;
};

Corpus read_corpus() {
  Corpus corpus;
  for (const auto& entry : std::filesystem::directory_iterator(HOLDFAST_DIALOGS)) {
    if (entry.path().extension() != ".dialog") continue;
    const auto script = dialog::parse(base::read_file(entry.path()).value());
    corpus.clients.push_back(script.client);
    corpus.servers.push_back(script.server);
  }
  return corpus;
}

// A few changes at random places.
std::string bend(const std::vector<std::string>& corpus, Random& random) {
  constexpr std::string_view kPieces[] = {"\r\n",  "\r\n.\r\n", "\n",       "\r",   ".",        "..",
                                          "\r\n.", "DATA\r\n", "BDAT 9\r\n", "BDAT 4 LAST\r\n",  "RSET\r\n", "250-", "354 x\r\n"};
  std::string out = corpus[random() % corpus.size()];
  for (auto n = 1 + random() % 6; n > 0; --n) {
    const std::size_t at = out.empty() ? 0 : random() % out.size();
    switch (random() % 4) {
      case 0: out.insert(at, kPieces[random() % std::size(kPieces)]); break;
      case 1: out.erase(at, 1 + random() % 20); break;
      case 2: {
        const std::string& other = corpus[random() % corpus.size()];
        out.insert(at, other, other.empty() ? 0 : random() % other.size(), random() % 80);
        break;
      }
      default:
        if (!out.empty()) out[at] = static_cast<char>(random());
    }
  }
  return out;
}

// An adapter whose answers depend on the events alone.
class Adapter {
 public:
  Adapter(ServerOptions options, std::uint32_t seed) : session_(std::move(options)), answers_(seed) { pump(); }

  void receive(std::string_view bytes) {
    session_.receive(bytes);
    pump();
  }
  std::string output() { return session_.output(); }
  const std::string& events() const { return events_; }
  // Of messages whose end came, each behind a NUL.
  const std::string& accepted() const { return accepted_; }

 private:
  void pump() {
    while (auto event = session_.next_event()) on(*event);
  }
  void on(const ServerEvent& event) {
    if (const auto* content = std::get_if<event::Content>(&event)) {
      content_ += content->bytes;
      return;
    }
    events_ += static_cast<char>('a' + event.index());
    if (const auto* end = std::get_if<event::ContentEnd>(&event)) {
      const std::string content = std::exchange(content_, {});
      if (end->refusal) return session_.reply(*end->refusal);
      accepted_ += '\0' + content;
      EXPECT_TRUE(content.empty() || content.ends_with("\r\n"));
      EXPECT_EQ(("\r\n" + content).find("\r\n.\r\n"), std::string::npos);
    }
    if (session_.awaits_answer()) answer(event);
  }
  void answer(const ServerEvent& event) {
    if (answers_() % 8 > 0 || std::holds_alternative<event::Connect>(event)) return session_.accept();
    session_.reply(mail::Reply::make(answers_() % 2 > 0 ? 450 : 550, "", "no"));
  }

  ServerSession session_;
  Random answers_;
  std::string events_, content_, accepted_;
};

void feed_in_pieces(std::string_view bytes, Random& random, auto&& receive) {
  while (!bytes.empty()) {
    const std::string piece(bytes.substr(0, 1 + random() % 50));
    bytes.remove_prefix(piece.size());
    receive(piece);
  }
}

TEST(RandomSessions, TheServerDoesNotCareForPieces) {
  const Corpus corpus = read_corpus();
  Random random(20261122);
  for (int round = 0; round < kRounds; ++round) {
    const std::string bytes = bend(corpus.clients, random);
    ServerOptions options;
    options.hostname = "h";
    options.size_limit = random() % 2 > 0 ? 30 : 0;
    options.max_recipients = 2;
    options.smtputf8 = options.dsn = options.xclient = random() % 2 > 0;
    options.chunking = random() % 4 > 0;
    options.max_errors = random() % 2 > 0 ? 3 : 0;
    options.bare_newline = random() % 2 > 0 ? BareNewline::kNormalize : BareNewline::kReject;
    const std::uint32_t seed = random();
    Adapter whole(options, seed);
    whole.receive(bytes);
    Adapter pieces(options, seed);
    feed_in_pieces(bytes, random, [&](const std::string& piece) { pieces.receive(piece); });
    ASSERT_EQ(whole.output(), pieces.output()) << dialog::escape(bytes);
    ASSERT_EQ(whole.events(), pieces.events()) << dialog::escape(bytes);
    ASSERT_EQ(whole.accepted(), pieces.accepted()) << dialog::escape(bytes);
  }
}

TEST(RandomSessions, TheClientOnlyPassesOnWellFormedReplies) {
  const Corpus corpus = read_corpus();
  Random random(20261122);
  int replies = 0;
  for (int round = 0; round < kRounds; ++round) {
    ClientSession session;
    feed_in_pieces(bend(corpus.servers, random), random, [&](const std::string& piece) {
      session.receive(piece);
      while (const auto event = session.next_event()) {
        if (event->kind == ClientEvent::Kind::kBroken) continue;
        ++replies;
        const std::string wire = event->reply.wire();
        ASSERT_TRUE(wire.ends_with("\r\n"));
        ASSERT_EQ(wire.find_first_of(std::string_view("\0\x7f", 2)), std::string::npos);
      }
      if (session.outstanding() > 3 || session.broken()) return;
      session.ehlo("me.test");
      session.output().clear();
    });
  }
  EXPECT_GT(replies, kRounds);
}

}  // namespace
}  // namespace holdfast::smtp
