// A message's header on its way in: what stays, and what is counted, against a reading line by line.
#include "common/base/panic.h"
#include "common/mail/header_gate.h"
#include "fuzz/target.h"
#include "fuzz/wire_reference.h"

namespace holdfast::fuzz {
namespace {

using base::expect;

struct Passed {
  std::string content;
  std::uint64_t fields = 0, received = 0;
  bool ended = false, copy = false;
};

Passed pass(std::string_view content, std::uint8_t pieces) {
  mail::HeaderGate gate;
  Passed out;
  feed(content, Cutter(pieces), [&](std::string_view in) {
    while (const auto piece = gate.next(in)) {
      expect(!piece->empty(), "an empty piece");
      out.content += *piece;
    }
    expect(in.empty() || gate.ended(), "bytes of the header are left");
    out.content += in;
  });
  out.ended = gate.ended();
  if (!out.ended) {
    if (const auto piece = gate.finish()) out.content += *piece;
  }
  out.fields = gate.fields();
  out.received = gate.received();
  out.copy = gate.copy();
  expect(gate.octets() <= content.size(), "more octets than came");
  return out;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// The length of a field's name; 0 if the line is none. Names may have blanks behind them, and 256 octets in all.
std::size_t name_length(std::string_view line) {
  std::size_t name = 0;
  while (name < line.size() && line[name] > 32 && line[name] < 127 && line[name] != ':') ++name;
  if (name == 0 || name > 256) return 0;
  std::size_t colon = name;
  while (colon < line.size() && colon < 256 && is_blank(line[colon])) ++colon;
  return colon < line.size() && line[colon] == ':' ? name : 0;
}

bool same_word(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    if (fold(a[i]) != fold(b[i])) return false;
  }
  return true;
}

Passed reference(std::string_view content) {
  Passed out;
  bool dropping = false, doubtful = false;
  if (!content.empty() && is_blank(content[0])) {  // it would go on with the field in front of it
    out.ended = true;
    out.content.append("\r\n").append(content);
    return out;
  }
  while (!content.empty()) {
    const auto line = content.substr(0, content.find("\r\n"));
    if (line.empty()) break;
    const std::size_t name = is_blank(line[0]) ? 0 : name_length(line);
    if (name > 0) {
      constexpr std::string_view kOurs = "x-holdfast-";
      if (!doubtful) ++out.fields;
      if (same_word(line.substr(0, name), "received")) ++out.received;
      out.copy = out.copy || same_word(line.substr(0, name), "x-holdfast-copy-of");
      dropping = same_word(line.substr(0, kOurs.size()), kOurs);
    } else if (!is_blank(line[0])) {
      doubtful = true;
      dropping = false;
    }
    if (!dropping) out.content.append(line).append("\r\n");
    content.remove_prefix(line.size() + 2);
  }
  out.ended = !content.empty();
  out.content += content;
  return out;
}

void run(std::string_view bytes) {
  Input input(bytes);
  const std::uint8_t pieces = input.byte();
  const std::string content = decode_chunks(input.rest()).content;
  const Passed wanted = reference(content);
  for (const std::uint8_t cut : {std::uint8_t{255}, std::uint8_t{0}, pieces}) {
    const Passed passed = pass(content, cut);
    expect_equal(passed.content, wanted.content, "a header that is not the sender's without our fields");
    expect(passed.fields == wanted.fields && passed.received == wanted.received, "fields are counted wrongly");
    expect(passed.copy == wanted.copy, "the mark of a copy is not seen, or seen where it is none");
    expect(passed.ended == wanted.ended, "the header ends elsewhere");
  }
}

[[maybe_unused]] const bool kRegistered = add({"header_gate", &run});

}  // namespace
}  // namespace holdfast::fuzz
