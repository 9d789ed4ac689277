// BDAT both ways: chunks to content in wire format, that content through the decoder of DATA, and its dots out again;
// and the decoder of DATA alone. All against the reference decoders, in pieces.
#include "common/base/panic.h"
#include "common/mail/wire_format.h"
#include "common/smtp/chunk_encoder.h"
#include "common/smtp/command.h"
#include "common/smtp/data_decoder.h"
#include "fuzz/target.h"
#include "fuzz/wire_checks.h"
#include "fuzz/wire_reference.h"

namespace holdfast::fuzz {
namespace {

using base::expect;
using smtp::BareNewline;

struct Given {
  std::string content;
  std::uint64_t octets = 0;
  bool bare_newline = false;
};

Given encode_chunks(std::string_view raw, BareNewline mode, std::uint8_t pieces) {
  smtp::ChunkEncoder encoder(mode);
  Given out;
  feed(raw, Cutter(pieces), [&](std::string_view in) {
    while (const auto piece = encoder.next(in)) out.content += *piece;
    expect(in.empty(), "the encoder leaves bytes");
  });
  if (const auto piece = encoder.finish()) out.content += *piece;
  out.octets = encoder.octets();
  out.bare_newline = encoder.bare_newline();
  return out;
}

// `taken`: how many bytes of `raw` were content and its end.
Given decode(std::string_view raw, BareNewline mode, std::uint8_t pieces, std::size_t& taken, bool& ended) {
  smtp::DataDecoder decoder(mode);
  Given out;
  taken = 0;
  feed(raw, Cutter(pieces), [&](std::string_view in) {
    const auto before = in.size();
    while (const auto piece = decoder.next(in)) out.content += *piece;
    expect(in.empty() || decoder.ended(), "the decoder leaves bytes");
    taken += before - in.size();
  });
  ended = decoder.ended();
  out.octets = decoder.octets();
  out.bare_newline = decoder.bare_newline();
  return out;
}

void compare(const Given& given, const Decoded& wanted, BareNewline mode) {
  expect(given.bare_newline == wanted.bare_newline, "a bare CR or LF is not seen, or is none");
  if (given.bare_newline && mode == BareNewline::kReject) {
    return expect(wanted.content.starts_with(given.content), "refused content is not the sender's");
  }
  expect_equal(given.content, wanted.content, "content");
  expect(given.octets == wanted.octets, "the octets are not those of the content");
  check_content(given.content);
}

void try_chunks(std::string_view raw, BareNewline mode, std::uint8_t pieces) {
  const Given given = encode_chunks(raw, mode, pieces);
  compare(given, decode_chunks(raw), mode);
  if (given.bare_newline && mode == BareNewline::kReject) return;
  // What goes on by DATA means the same to who reads it there.
  std::size_t taken = 0;
  bool ended = false;
  const std::string wire = given.content + ".\r\n";
  const Given again = decode(wire, BareNewline::kReject, pieces, taken, ended);
  expect(ended && taken == wire.size() && !again.bare_newline, "content in wire format is not read as one");
  expect_equal(again.content, given.content, "content in wire format changes when it is read");
  const std::string plain = mail::from_wire(given.content);
  expect(plain.size() == given.octets, "the plain content is not as long as was said");
  mail::WireEncoder encoder;
  std::string wire_again;
  feed(plain, Cutter(pieces), [&](std::string_view in) { wire_again += encoder.take(in); });
  wire_again += encoder.finish();
  expect_equal(wire_again, given.content, "plain content does not go back to wire format");
}

void try_data(std::string_view raw, BareNewline mode, std::uint8_t pieces) {
  std::size_t end = 0, taken = 0;
  bool ended = false;
  while (end < raw.size() && !ends_data(raw.substr(0, end))) ++end;
  const Given given = decode(raw, mode, pieces, taken, ended);
  expect(ended == ends_data(raw.substr(0, end)), "the end of content is missed, or none");
  if (!ended) return;
  expect(taken == end, "content ends too early, or takes what comes behind it");
  compare(given, decode_data(raw.substr(0, end)), mode);
}

void try_line(std::string_view raw) {
  const auto line = raw.substr(0, raw.find_first_of("\r\n"));
  const auto command = smtp::parse_command(line);
  if (command.verb != smtp::Verb::kBdat) return;
  const auto chunk = smtp::parse_bdat(command.argument);
  const auto wanted = read_chunk_line(line);
  expect(chunk.has_value() == wanted.has_value(), "a BDAT line is read by one, not by the other");
  if (chunk) expect(chunk->size == wanted->size && chunk->last == wanted->last, "a BDAT line is read in two ways");
}

void run(std::string_view bytes) {
  Input input(bytes);
  const std::uint8_t flags = input.byte(), pieces = input.byte();
  const auto mode = (flags & 1) > 0 ? BareNewline::kNormalize : BareNewline::kReject;
  try_line(input.rest());
  if ((flags & 2) > 0) return try_data(input.rest(), mode, pieces);
  try_chunks(input.rest(), mode, pieces);
}

[[maybe_unused]] const bool kRegistered = add({"bdat", &run});

}  // namespace
}  // namespace holdfast::fuzz
