// Frames and messages between daemons, as if an enemy had sent them. A message that is understood has one spelling:
// encoded again it begins with the very bytes that came, followed by the fields that an older sender left out.
#include <variant>

#include "common/base/codec.h"
#include "common/base/panic.h"
#include "common/ipc/frame.h"
#include "common/mail/envelope.h"
#include "fuzz/target.h"

namespace holdfast::fuzz {
namespace {

using base::expect;

template <class Message>
bool try_decode(std::string_view body) {
  const auto message = base::decode<Message>(body);
  if (!message) return false;
  const std::string again = base::encode(*message);
  expect_equal(std::string_view(again).substr(0, body.size()), body, "a message with two spellings");
  const auto twice = base::decode<Message>(again);
  expect(twice.has_value() && base::encode(*twice) == again, "what we encode cannot be decoded");
  expect(!base::decode<Message>(again + '\0'), "bytes behind a message are passed over");
  return true;
}

template <class... Messages>
void try_type(ipc::Type type, std::string_view body, std::variant<Messages...>*) {
  ((Messages::kType == type ? void(try_decode<Messages>(body)) : void()), ...);
}

using All = std::variant<ipc::Hello, ipc::Control, ipc::ControlReply, ipc::Synced, ipc::DeliverHello, ipc::Job, ipc::Outcome,
                         ipc::OutcomeCommitted, ipc::Fact, ipc::Learn, ipc::RefusedKnown, ipc::ProbeNow, ipc::DrainReport,
                         ipc::Destination, ipc::QueueRoom>;

// All frames of `bytes` in a row, as one text; "!" where the stream is given up.
std::string read_frames(std::string_view bytes, std::uint8_t pieces) {
  ipc::FrameReader reader;
  std::string out;
  bool over = false;
  feed(bytes, Cutter(pieces), [&](std::string_view piece) {
    if (over) return;
    reader.receive(piece);
    while (!over) {
      const auto frame = reader.next();
      over = !frame.has_value();
      if (over || !frame->has_value()) break;
      ipc::append_frame(out, (*frame)->type, (*frame)->body);
      try_type((*frame)->type, (*frame)->body, static_cast<All*>(nullptr));
    }
  });
  return over ? out + '!' : out;
}

void run(std::string_view bytes) {
  Input input(bytes);
  const std::uint8_t pieces = input.byte();
  const auto stream = input.rest();
  const std::string whole = read_frames(stream, 255);
  expect_equal(read_frames(stream, pieces), whole, "frames depend on pieces");
  const bool given_up = whole.ends_with('!') && !stream.starts_with(whole);
  expect(given_up ? stream.starts_with(std::string_view(whole).substr(0, whole.size() - 1)) : stream.starts_with(whole),
         "frames are not the bytes that came");
  try_decode<mail::Envelope>(stream);
}

[[maybe_unused]] const bool kRegistered = add({"ipc", &run});

}  // namespace
}  // namespace holdfast::fuzz
