// FilterSession's other half: what the filter says.
#include <utility>

#include <fmt/format.h>

#include "common/base/text.h"
#include "common/milter/filter_session.h"

namespace holdfast::milter {

namespace {

// A word that ends what it answers; nothing: it is another kind of packet.
std::optional<Verdict> plain_verdict(char kind) {
  using mail::Reply;
  switch (kind) {
    case answer::kContinue: return Verdict{};
    case answer::kAccept: return Verdict{Verdict::Kind::kAccept, {}};
    case answer::kDiscard: return Verdict{Verdict::Kind::kDiscard, {}};
    case answer::kReject: return Verdict{Verdict::Kind::kRefuse, Reply::make(550, "5.7.1", "Command rejected")};
    case answer::kTempfail:
    case answer::kConnectionFailed:
      return Verdict{Verdict::Kind::kRefuse, Reply::make(451, "4.7.1", "Service unavailable - try again later")};
    case answer::kShutdown: return Verdict{Verdict::Kind::kShutdown, Reply::make(421, "4.7.0", "Closing connection")};
    default: return {};
  }
}

bool before_message(Stage s) { return s == Stage::kConnect || s == Stage::kHelo; }

std::string_view without_brackets(std::string_view path) {
  if (path.size() >= 2 && path.front() == '<' && path.back() == '>') return path.substr(1, path.size() - 2);
  return path;
}

std::uint32_t action_of(char kind) {
  switch (kind) {
    case answer::kAddHeader:
    case answer::kInsertHeader: return action::kAddHeaders;
    case answer::kChangeHeader: return action::kChangeHeaders;
    case answer::kChangeFrom: return action::kChangeFrom;
    case answer::kAddRcpt: return action::kAddRcpt;
    case answer::kAddRcptWithParameters: return action::kAddRcptWithParameters;
    case answer::kDeleteRcpt: return action::kDeleteRcpt;
    case answer::kQuarantine: return action::kQuarantine;
    case answer::kReplaceBody: return action::kChangeBody;
    default: return 0;
  }
}

Edit read_header_edit(Edit::Kind kind, Fields& fields) {
  Edit edit{.kind = kind, .index = 0, .name = {}, .value = {}, .parameters = {}};
  if (kind != Edit::Kind::kAddHeader) edit.index = fields.number();
  edit.name = fields.text();
  edit.value = fields.text();
  return edit;
}

Edit read_text_edit(Edit::Kind kind, Fields& fields) {
  Edit edit{.kind = kind, .index = 0, .name = {}, .value = std::string(fields.text()), .parameters = {}};
  if (kind == Edit::Kind::kQuarantine) return edit;
  edit.value = std::string(without_brackets(edit.value));
  if (fields.ok() && !fields.empty()) edit.parameters = fields.text();
  return edit;
}

Edit read_edit(char kind, Fields& fields) {
  switch (kind) {
    case answer::kAddHeader: return read_header_edit(Edit::Kind::kAddHeader, fields);
    case answer::kInsertHeader: return read_header_edit(Edit::Kind::kInsertHeader, fields);
    case answer::kChangeHeader: return read_header_edit(Edit::Kind::kChangeHeader, fields);
    case answer::kChangeFrom: return read_text_edit(Edit::Kind::kChangeFrom, fields);
    case answer::kDeleteRcpt: return read_text_edit(Edit::Kind::kDeleteRcpt, fields);
    case answer::kQuarantine: return read_text_edit(Edit::Kind::kQuarantine, fields);
    default: return read_text_edit(Edit::Kind::kAddRcpt, fields);
  }
}

// RFC 5322 section 3.6.8: printable ASCII but the colon.
bool field_name(std::string_view name) {
  if (name.empty() || name.size() > 200) return false;
  for (const char c : name) {
    if (c <= ' ' || c > '~' || c == ':') return false;
  }
  return true;
}

bool clean_line(std::string_view s) {
  for (const char c : s) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) return false;
  }
  return true;
}

bool well_formed(const Edit& edit) {
  switch (edit.kind) {
    case Edit::Kind::kAddHeader:
    case Edit::Kind::kInsertHeader:
    case Edit::Kind::kChangeHeader: return field_name(edit.name);
    case Edit::Kind::kQuarantine: return true;
    default: return clean_line(edit.value) && clean_line(edit.parameters);
  }
}

}  // namespace

FilterEvent FilterSession::broken_by(std::string error) {
  broken_ = true;
  edits_ = {};
  const Stage stage = waiting_.value_or(Stage::kConnect);
  waiting_.reset();
  return {FilterEvent::Kind::kBroken, stage, {}, std::move(error)};
}

std::optional<FilterEvent> FilterSession::next_event() {
  while (!broken_) {
    const auto packet = reader_.next();
    if (reader_.broken()) return broken_by("it sent a packet of a length that cannot be");
    if (!packet) return {};
    if (auto event = on_packet(*packet)) return event;
  }
  return {};
}

std::optional<FilterEvent> FilterSession::on_packet(const Packet& packet) {
  if (!ready_) return on_negotiation(packet);
  if (stale_) {
    stale_ = packet.kind == answer::kProgress || action_of(packet.kind) != 0;
    return {};
  }
  if (!waiting_) return broken_by(fmt::format("it answered '{}' without being asked", base::printable({&packet.kind, 1})));
  if (packet.kind == answer::kProgress) return FilterEvent{FilterEvent::Kind::kProgress, *waiting_, {}, {}};
  if (action_of(packet.kind) != 0) return on_edit(packet);
  return on_verdict(packet);
}

FilterEvent FilterSession::on_negotiation(const Packet& packet) {
  if (packet.kind != answer::kNegotiate) return broken_by("it does not negotiate");
  auto terms = parse_terms(packet.data);
  if (!terms) return broken_by(std::move(terms.error().text));
  terms_ = std::move(*terms);
  ready_ = true;
  return {FilterEvent::Kind::kReady, Stage::kConnect, {}, {}};
}

std::optional<FilterEvent> FilterSession::on_verdict(const Packet& packet) {
  if (packet.kind == answer::kSkip) return on_skip();
  if (packet.kind == answer::kReplyCode) {
    Fields fields(packet.data);
    const std::string_view text = fields.text();
    auto reply = fields.ok() ? parse_reply(text) : base::fail(base::Kind::kData, "a reply without its end");
    if (!reply) return broken_by("it answered with " + reply.error().text);
    const auto kind = reply->code == 421 ? Verdict::Kind::kShutdown : Verdict::Kind::kRefuse;
    return verdict({kind, std::move(*reply)});
  }
  auto given = plain_verdict(packet.kind);
  if (!given) return broken_by(fmt::format("its answer '{}' is unknown", base::printable({&packet.kind, 1})));
  if (given->kind == Verdict::Kind::kDiscard && before_message(*waiting_)) return broken_by("it discards before there is a message");
  return verdict(std::move(*given));
}

std::optional<FilterEvent> FilterSession::on_skip() {
  if (*waiting_ != Stage::kBody) return broken_by(fmt::format("it wants to skip at {}", to_text(*waiting_)));
  skipped_ |= 1u << std::to_underlying(*waiting_);
  return verdict({});
}

// The verdict on the stage that was asked; what it says of later stages is kept.
FilterEvent FilterSession::verdict(Verdict given) {
  const Stage stage = *std::exchange(waiting_, {});
  if (given.kind == Verdict::Kind::kAccept) accepted_ = before_message(stage) ? Accepted::kClient : Accepted::kMessage;
  if (given.kind == Verdict::Kind::kRefuse || given.kind == Verdict::Kind::kShutdown || given.kind == Verdict::Kind::kDiscard) edits_ = {};
  if (stage == Stage::kEndOfMessage) in_message_ = false;
  return {FilterEvent::Kind::kVerdict, stage, std::move(given), {}};
}

std::optional<FilterEvent> FilterSession::on_edit(const Packet& packet) {
  if (*waiting_ != Stage::kEndOfMessage) return broken_by(fmt::format("it changes the message at {}", to_text(*waiting_)));
  if (!terms_.may(action_of(packet.kind))) return broken_by("it changes what it did not negotiate");
  if (auto error = add_edit(packet)) return broken_by(std::move(*error));
  return {};
}

// Nothing, or why the change cannot be taken.
std::optional<std::string> FilterSession::add_edit(const Packet& packet) {
  if (packet.kind == answer::kReplaceBody) {
    if (edits_.body.size() + packet.data.size() > limits_.body) return "its new body is too long";
    edits_.body_replaced = true;
    edits_.body.append(packet.data);
    return {};
  }
  Fields fields(packet.data);
  Edit edit = read_edit(packet.kind, fields);
  if (!fields.ok()) return "a change of the message is cut off";
  if (!well_formed(edit)) return "a change of the message has characters that cannot stand there";
  edit_bytes_ += edit.name.size() + edit.value.size() + edit.parameters.size();
  if (edits_.list.size() == limits_.edits || edit_bytes_ > limits_.edit_bytes) return "it changes too much";
  edits_.list.push_back(std::move(edit));
  return {};
}

}  // namespace holdfast::milter
