// A filter that says what the input says, asked stage by stage; and content cut into stages and put together again.
#include "common/base/panic.h"
#include "common/mail/wire_format.h"
#include "common/milter/content_feed.h"
#include "common/milter/filter_session.h"
#include "common/milter/header_editor.h"
#include "fuzz/target.h"
#include "fuzz/wire_checks.h"
#include "fuzz/wire_reference.h"

namespace holdfast::fuzz {
namespace {

using base::expect;
using milter::ContentFeed;
using milter::FilterEvent;
using milter::FilterSession;
using milter::Stage;

// Content as a filter sees it.
struct Told {
  std::vector<milter::Field> fields;
  std::string body;
  std::uint64_t body_begins = 0;
};

void take_parts(ContentFeed& feed, Told& told, bool& done) {
  while (auto part = feed.next()) {
    expect(!done, "a part behind the end");
    if (part->stage == Stage::kHeader) told.fields.push_back(std::move(part->field));
    if (part->stage == Stage::kEndOfHeader) told.body_begins = feed.body_begins();
    if (part->stage == Stage::kBody) expect(!part->chunk.empty() && part->chunk.size() <= FilterSession::kBodyChunk, "a chunk's size");
    told.body += part->chunk;
    done = part->stage == Stage::kEndOfMessage;
  }
}

Told tell(std::string_view content, std::uint8_t pieces) {
  ContentFeed feed;
  Told told;
  bool done = false;
  holdfast::fuzz::feed(content, Cutter(pieces), [&](std::string_view piece) {
    feed.give(piece);
    take_parts(feed, told, done);
  });
  feed.end();
  take_parts(feed, told, done);
  expect(done, "the content has no end");
  return told;
}

Told check_feed(std::string_view content, std::uint8_t pieces) {
  const Told told = tell(content, 255);
  const Told again = tell(content, pieces);
  expect(told.fields == again.fields && told.body_begins == again.body_begins, "fields depend on the pieces");
  expect_equal(again.body, told.body, "the body depends on the pieces");
  expect(told.body_begins <= content.size(), "a body that begins behind the end");
  expect_equal(told.body, mail::from_wire(content.substr(told.body_begins)), "a body that is not the content's");
  return told;
}

// What a filter of these words made of a message.
struct Session {
  std::string story;  // an event a line
  std::string sent;
  milter::Edits edits;
  bool leading_space = false;
};

class Player {
 public:
  explicit Player(const Told& told) : told_(told) {}

  Session play(std::string_view answers, std::uint8_t pieces) {
    Session out;
    milter::FilterLimits limits{.body = 2'000, .edits = 20, .edit_bytes = 1'000};
    FilterSession filter(limits);
    std::size_t step = 0;
    feed(answers, Cutter(pieces), [&](std::string_view piece) {
      filter.receive(piece);
      while (const auto event = filter.next_event()) {
        note(*event, out.story);
        if (event->kind == FilterEvent::Kind::kVerdict && event->stage == Stage::kEndOfMessage) collect(filter, out);
        for (std::size_t tried = 0; tried < kSteps && !filter.broken() && !filter.waits_for(); ++tried) ask(filter, step++ % kSteps);
      }
    });
    out.sent = filter.output();
    out.leading_space = filter.terms().leading_space();
    return out;
  }

 private:
  static constexpr std::size_t kSteps = 10;

  static void note(const FilterEvent& event, std::string& story) {
    story += std::to_string(static_cast<int>(event.kind)) + ' ' + std::string(to_text(event.stage)) + ' ' +
             std::to_string(static_cast<int>(event.verdict.kind)) + ' ' + event.error + '\n';
    if (event.verdict.reply.code == 0) return;
    expect(event.verdict.reply.code >= 400, "a refusal that is none");
    check_replies(event.verdict.reply.wire());
    story += event.verdict.reply.text() + '\n';
  }
  static void collect(FilterSession& filter, Session& out) {
    auto edits = filter.take_edits();
    out.edits.list.insert(out.edits.list.end(), edits.list.begin(), edits.list.end());
    if (edits.body_replaced) out.edits.body = edits.body;
    out.edits.body_replaced |= edits.body_replaced;
  }
  void ask(FilterSession& filter, std::size_t step) const {
    const milter::Macros none;
    switch (step) {
      case 0:
        if (filter.next_client()) filter.connect({"client.test", "192.0.2.1", 25}, none);
        break;
      case 1: filter.helo("client.test", none); break;
      case 2: filter.mail("a@b.test", "SIZE=1", none); break;
      case 3: filter.rcpt("c@d.test", "", none); break;
      case 4: filter.data(none); break;
      case 5:
        if (!told_.fields.empty()) filter.header(told_.fields[0].name, told_.fields[0].value, none);
        break;
      case 6: filter.end_of_header(none); break;
      case 7: filter.body(std::string_view(told_.body).substr(0, FilterSession::kBodyChunk), none); break;
      case 8: filter.end_of_message(none); break;
      default: filter.abort();
    }
  }

  const Told& told_;
};

// What a header in wire format holds, its empty line left out.
std::size_t check_header(std::string_view wire) {
  check_content(wire);
  const Told told = tell(std::string(wire) + "\r\n", 255);
  expect(told.body.empty() && told.body_begins == wire.size() + 2, "an edited header ends early");
  return told.fields.size();
}

// How many fields an edit may leave where `before` were.
bool may_leave(milter::Edit::Kind kind, std::size_t before, std::size_t after) {
  using Kind = milter::Edit::Kind;
  if (kind == Kind::kAddHeader || kind == Kind::kInsertHeader) return after == before + 1;
  if (kind == Kind::kChangeHeader) return after + 1 >= before && after <= before + 1;
  return after == before;
}

void check_edits(std::string_view header, const Session& session) {
  milter::HeaderEditor editor(header);
  std::size_t fields = check_header(editor.wire());
  for (const auto& edit : session.edits.list) {
    editor.apply(edit, session.leading_space);
    const std::size_t now = check_header(editor.wire());
    expect(may_leave(edit.kind, fields, now), "an edit wrote another field than its own");
    fields = now;
  }
  mail::WireEncoder encoder;
  std::string body = encoder.take(session.edits.body);
  check_content(body + encoder.finish());
}

void run(std::string_view bytes) {
  Input input(bytes);
  const std::uint8_t pieces = input.byte();
  const std::string content = decode_chunks(input.text()).content;
  const Told told = check_feed(content, pieces);
  const std::string_view header = std::string_view(content).substr(0, told.body_begins);
  Player player(told);
  const Session whole = player.play(input.rest(), 255);
  const Session cut = player.play(input.rest(), pieces);
  expect_equal(cut.story, whole.story, "events depend on the pieces");
  expect_equal(cut.sent, whole.sent, "what is sent depends on the pieces");
  check_edits(header, whole);
}

[[maybe_unused]] const bool kRegistered = add({"milter", &run});

}  // namespace
}  // namespace holdfast::fuzz
