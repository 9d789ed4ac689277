// What a daemon that somebody has taken over may send the others: 100,000 frames of each type, made of sound ones.
#include <random>

#include <gtest/gtest.h>

#include "common/base/codec.h"
#include "common/ipc/frame.h"
#include "common/ipc/messages.h"

namespace holdfast::ipc {
namespace {

constexpr int kFrames = 100'000;

unsigned seed() {
  const char* given = std::getenv("HOLDFAST_SEED");
  return given != nullptr ? static_cast<unsigned>(std::atoi(given)) : 1;
}

class Mutator {
 public:
  std::string of(std::string bytes) {
    for (int n = 1 + below(4); n > 0; --n) change(bytes);
    return bytes;
  }

 private:
  int below(std::size_t most) { return static_cast<int>(random_() % most); }
  void change(std::string& bytes) {
    if (bytes.empty()) bytes.push_back('\0');
    const auto at = static_cast<std::size_t>(below(bytes.size()));
    switch (below(6)) {
      case 0: bytes[at] = static_cast<char>(below(256)); break;
      case 1: bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8))); break;
      case 2: bytes.resize(at); break;
      case 3: bytes.insert(at, static_cast<std::size_t>(1 + below(64)), static_cast<char>(below(256))); break;
      case 4: bytes.replace(at, 4, std::string(4, '\xff')); break;
      default: bytes.append(bytes, 0, at); break;
    }
  }
  std::mt19937 random_{seed()};
};

// Whatever is taken is sound: written again, it is read again as the same.
template <class M>
void throw_at(const M& sound) {
  SCOPED_TRACE("type " + std::to_string(static_cast<int>(M::kType)) + ", seed " + std::to_string(seed()));
  const std::string body = base::encode(sound);
  Mutator mutator;
  int taken = 0;
  for (int i = 0; i < kFrames; ++i) {
    const auto read = base::decode<M>(mutator.of(body));
    if (!read) continue;
    ++taken;
    const std::string again = base::encode(*read);
    const auto twice = base::decode<M>(again);
    ASSERT_TRUE(twice);
    ASSERT_EQ(base::encode(*twice), again);
  }
  EXPECT_GT(taken, 0) << "nothing was mild enough to be taken";
  EXPECT_LT(taken, kFrames) << "nothing was refused";
}

Outcome an_outcome() {
  Outcome out;
  out.queue_id = 0x10000000005;
  out.destination = "office";
  out.relay = "10.0.0.5[10.0.0.5]:25";
  out.recipients = {{.index = 0, .status = 2, .reply = "550 5.1.1 no", .dsn = "5.1.1"}, {.index = 1}};
  return out;
}

TEST(HostileFrames, HelloAndCommands) {
  throw_at(Hello{.name = "smtpd", .worker = 1, .pid = 7});
  throw_at(Control{.command = "queue.hold", .words = {"--all", "10000000005"}, .user = "root"});
  throw_at(ControlReply{.exit = 77, .json = "{}", .text = "no"});
}

TEST(HostileFrames, BetweenSmtpdAndQmgr) {
  throw_at(Synced{.writer = 1, .segment = 2, .upto = 3, .sealed = true});
  throw_at(QueueRoom{.left = {{.domain = "example.test", .messages = 5, .bytes = 6}, {}}});
}

TEST(HostileFrames, BetweenQmgrAndDeliver) {
  Job job;
  job.queue_id = 5;
  job.destination = "office";
  job.recipients = {{.index = 0, .address = "a@example.test"}, {.index = 1, .address = "b@example.test", .known = false}};
  throw_at(job);
  throw_at(an_outcome());
  throw_at(OutcomeCommitted{.queue_id = 5, .attempt = 2});
  throw_at(DeliverHello{.running = {{.queue_id = 6, .attempt = 1, .destination = "office"}}, .outcomes = {an_outcome()}});
}

TEST(HostileFrames, ToAndFromTheProber) {
  throw_at(Fact{.destination = "office", .server = "10.0.0.5:25", .address = "10.0.0.5:25", .reason = "connect: refused"});
  throw_at(Learn{.recipients = {{.key = "a@example.test", .destination = "office"}, {}}});
  throw_at(RefusedKnown{.destination = "office", .key = "a@example.test", .address = "A@example.test", .reply = "550 no"});
  throw_at(ProbeNow{.destination = "office"});
  throw_at(DrainReport{.destination = "office", .since_ms = 7, .reason = "x"});
  throw_at(Destination{.name = "office", .reason = "x", .since_ms = 7});
}

// The reader of frames holds no more than it was sent, and ends at the first length that cannot be.
TEST(HostileFrames, AStreamOfThem) {
  std::string sound;
  append_frame(sound, Hello::kType, base::encode(Hello{.name = "smtpd"}));
  append_frame(sound, Synced::kType, base::encode(Synced{.writer = 1, .segment = 2, .upto = 3}));
  Mutator mutator;
  int whole = 0, refused = 0;
  for (int i = 0; i < kFrames; ++i) {
    FrameReader reader;
    reader.receive(mutator.of(sound));
    for (;;) {
      const auto frame = reader.next();
      if (!frame) ++refused;
      if (!frame || !*frame) break;
      ++whole;
      EXPECT_LE((*frame)->body.size(), 4 * sound.size() + 1024);
    }
  }
  EXPECT_GT(whole, 0);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace holdfast::ipc
