// The server half of SMTP. The same bytes go through three sessions: whole, in pieces, byte by byte; all must do and
// say the same, and the last is followed by an independent reader of the wire (server_follower.h).
#include <array>
#include <utility>

#include <fmt/core.h>

#include "common/base/panic.h"
#include "common/smtp/server_session.h"
#include "fuzz/server_follower.h"
#include "fuzz/target.h"
#include "fuzz/wire_checks.h"

namespace holdfast::fuzz {
namespace {

using base::expect;
using mail::Reply;
namespace event = smtp::event;

constexpr char kTlsDone = '\xfe';  // in the input, behind STARTTLS: the handshake is done

struct Plan {
  smtp::ServerOptions options;
  std::uint8_t answers = 0;  // bit i: the event i, modulo 8, gets what it would rather not hear
  std::uint8_t words = 0;    // which words that are
  std::uint8_t pieces = 0;
};

Plan read_plan(Input& input) {
  Plan plan;
  const std::uint8_t offers = input.byte(), limits = input.byte();
  auto& o = plan.options;
  o.hostname = "mx.test";
  o.pipelining = (offers & 1) == 0;
  o.smtputf8 = (offers & 2) > 0;
  o.dsn = (offers & 4) > 0;
  o.chunking = (offers & 8) > 0;
  o.starttls = (offers & 16) > 0;
  o.xclient = (offers & 32) > 0;
  o.tls_required = (offers & 64) > 0;
  o.strict_pipelining = (offers & 128) > 0;
  o.size_limit = std::array<std::uint64_t, 4>{0, 10, 100, 50 << 20}[limits & 3];
  o.bare_newline = (limits & 4) > 0 ? smtp::BareNewline::kNormalize : smtp::BareNewline::kReject;
  o.max_errors = (limits & 8) > 0 ? 3 : 0;
  o.max_junk = (limits & 16) > 0 ? 2 : 0;
  o.max_recipients = (limits & 32) > 0 ? 1 : 1000;
  o.limits = (limits & 64) > 0;
  if ((limits & 128) > 0) o.extra_ehlo = {"VRFY"};
  plan.answers = input.byte();
  plan.words = input.byte();
  plan.pieces = input.byte();
  return plan;
}

// What an adapter might say, the odd words of a destination among it.
Reply bad_words(std::uint8_t n) {
  switch (n % 6) {
    case 0: return Reply::make(550, "5.1.1", "No such user");
    case 1: return Reply::make(450, "", "Later");
    case 2: return Reply::make(421, "4.3.2", "Going down");
    case 3: return {554, "5.7.1", {"one", "two", ""}};
    case 4: return {451, "4.0.0", {std::string(600, 'x'), "a\r\n250 ok", "\xc3\xa9\x01"}};
    default: return Reply::make(599, "", "");
  }
}

// A session and an adapter whose answers follow from the order of the events alone.
class Adapter {
 public:
  explicit Adapter(const Plan& plan) : plan_(plan), session_(plan.options) { pump(); }

  // What it does with `bytes`; valid until the next call.
  const Step& receive(std::string_view bytes) {
    step_ = Step{.before = session_.state(), .content = std::move(step_.content)};
    session_.receive(bytes);
    pump();
    return step_;
  }
  bool in_handshake() const { return session_.state() == smtp::State::kHandshake; }
  void tls_started() {
    session_.tls_started();
    pump();
  }
  // All that it said and was told.
  const std::string& trace() const { return trace_; }
  const std::string& said() const { return said_; }

 private:
  void pump() {
    while (auto event = session_.next_event()) on(*event);
    expect(!session_.awaits_answer(), "an event is awaited that was not given");
    step_.after = session_.state();
    step_.output += session_.output();
    said_ += session_.output();
    session_.output().clear();
  }
  void on(const smtp::ServerEvent& event) {
    if (const auto* content = std::get_if<event::Content>(&event)) {
      expect(!content->bytes.empty(), "an empty piece of content");
      step_.content += content->bytes;
      return;
    }
    ++step_.events;
    trace_ += fmt::format("{} ", event.index());
    std::visit([this](const auto& e) { note(e); }, event);
    if (session_.awaits_answer()) answer(event);
  }
  void answer(const smtp::ServerEvent& event) {
    if (const auto* end = std::get_if<event::ContentEnd>(&event); end != nullptr && end->refusal) {
      return session_.reply(*end->refusal);
    }
    const auto bit = static_cast<std::uint8_t>(1U << (answered_++ & 7));
    const auto word = static_cast<std::uint8_t>(plan_.words + answered_);
    if ((plan_.answers & bit) == 0) return say_yes(event, word);
    if (std::holds_alternative<event::Data>(event)) step_.data_refused = true;
    session_.reply(bad_words(word), word % 2 > 0);
  }
  void say_yes(const smtp::ServerEvent& event, std::uint8_t word) {
    const bool own_words = std::holds_alternative<event::Mail>(event) || std::holds_alternative<event::Rcpt>(event) ||
                           std::holds_alternative<event::ContentEnd>(event);
    if (!own_words || word % 4 > 0) return session_.accept();
    session_.reply({250, "2.0.0", {"theirs", std::string(520, 'y')}});
  }

  void note(const event::Content&) {}
  void note(const event::Connect&) {}
  void note(const event::Helo& e) {
    step_.named = true;
    trace_ += fmt::format("{} {} ", e.name, e.esmtp);
  }
  void note(const event::Mail& e) {
    step_.named = true;
    expect(e.smtputf8 || e.sender.ascii(), "an address of UTF-8 without SMTPUTF8");
    trace_ += fmt::format("<{}> {} {} {} {} {} {} ", e.sender.text(), e.size.value_or(0), static_cast<int>(e.body), e.smtputf8,
                          e.ret, e.envid, e.parameters);
  }
  void note(const event::Rcpt& e) {
    step_.named = true;
    trace_ += fmt::format("<{}> {} {} ", e.recipient.text(), e.notify, e.orcpt);
  }
  void note(const event::Data&) {
    step_.data = true;
    step_.content.clear();
  }
  void note(const event::ContentEnd& e) {
    step_.ended = true;
    step_.octets = e.octets;
    step_.refused = e.refusal.has_value();
    if (!e.refusal) trace_ += fmt::format("{} [{}] ", e.octets, step_.content);
  }
  void note(const event::Reset&) {}
  void note(const event::Quit&) {
    step_.named = true;
    expect(session_.closing(), "QUIT does not close");
  }
  void note(const event::Rejected& e) {
    step_.rejected = true;
    expect(e.reply.temporary() || e.reply.permanent(), "Rejected with a good reply");
    trace_ += fmt::format("{} {} ", static_cast<int>(e.verb), e.reply.text());
  }
  void note(const event::StartTls&) { step_.named = true; }
  void note(const event::Xclient& e) {
    step_.named = true;
    expect(e.attributes != nullptr, "XCLIENT without attributes");
  }

  const Plan& plan_;
  smtp::ServerSession session_;
  Step step_;
  std::string trace_, said_;
  unsigned answered_ = 0;
};

// `receive` gets all of `bytes` but what ends a handshake, cut by `cutter`.
template <class Receive>
void play(std::string_view bytes, std::uint8_t pieces, Adapter& adapter, Receive&& receive, auto&& on_tls) {
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, bytes.find(kTlsDone, 1));
    bytes.remove_prefix(part.size());
    const bool handshake = part[0] == kTlsDone && adapter.in_handshake();
    if (handshake) {
      adapter.tls_started();
      on_tls();
    }
    feed(part.substr(handshake ? 1 : 0), Cutter(pieces), receive);
  }
}

std::string play_in_pieces(const Plan& plan, std::string_view bytes, std::uint8_t pieces) {
  Adapter adapter(plan);
  play(bytes, pieces, adapter, [&](std::string_view piece) { adapter.receive(piece); }, [] {});
  check_replies(adapter.said());
  return adapter.trace() + adapter.said();
}

std::string play_followed(const Plan& plan, std::string_view bytes) {
  Adapter adapter(plan);
  ServerFollower follower(plan.options);
  play(
      bytes, 0, adapter, [&](std::string_view byte) { follower.on_byte(byte[0], adapter.receive(byte)); },
      [&] { follower.on_tls(); });
  return adapter.trace() + adapter.said();
}

void run(std::string_view bytes) {
  Input input(bytes);
  const Plan plan = read_plan(input);
  const auto followed = play_followed(plan, input.rest());
  const auto whole = play_in_pieces(plan, input.rest(), 255);
  const auto pieces = play_in_pieces(plan, input.rest(), plan.pieces);
  if (plan.options.strict_pipelining) return;  // there, pieces have a meaning
  expect_equal(whole, followed, "a session cares for pieces: whole or byte by byte");
  expect_equal(pieces, followed, "a session cares for pieces");
}

[[maybe_unused]] const bool kRegistered = add({"server_session", &run});

}  // namespace
}  // namespace holdfast::fuzz
