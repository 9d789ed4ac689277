// Replies of servers, line by line: within their bounds, what was sent but for control characters, and the same when
// they have gone on to a client and are read again.
#include "common/base/panic.h"
#include "common/mail/reply.h"
#include "common/smtp/client_session.h"
#include "common/smtp/line_reader.h"
#include "common/smtp/reply_parser.h"
#include "fuzz/target.h"
#include "fuzz/wire_checks.h"

namespace holdfast::fuzz {
namespace {

using base::expect;
using mail::Reply;

std::vector<Reply> read_replies(std::string_view bytes) {
  smtp::LineReader lines(4096, smtp::LineReader::Mode::kLenient);
  smtp::ReplyParser parser;
  std::vector<Reply> out;
  lines.append(bytes);
  while (const auto line = lines.next()) {
    const auto progress = parser.line(line->text, line->octets);
    if (!progress) break;
    if (*progress == smtp::ReplyParser::Progress::kComplete) out.push_back(parser.take());
  }
  return out;
}

void check_bounds(const Reply& reply) {
  expect(reply.code >= 200 && reply.code <= 599 && !reply.lines.empty(), "a reply without code or text");
  expect(reply.lines.size() <= smtp::ReplyParser::kMaxLines, "a reply of too many lines");
  std::size_t octets = 0;
  for (const auto& line : reply.lines) {
    octets += line.size();
    expect(line.find_first_of("\r\n\x7f") == std::string::npos && line.find('\0') == std::string::npos, "a line with strange bytes");
  }
  expect(octets <= smtp::ReplyParser::kMaxKept, "a reply that is too long");
}

// The first reply of `bytes`, whose line is not long, said with string operations alone.
void check_first(std::string_view bytes, const Reply& reply) {
  std::string line(bytes.substr(0, bytes.find('\n')));
  if (line.size() > 1000) return;
  if (line.ends_with('\r')) line.pop_back();
  expect(line.substr(0, 3) == std::to_string(reply.code), "another code than was sent");
  std::string text = line.size() > 4 ? line.substr(4) : "";
  for (char& c : text) {
    if ((static_cast<unsigned char>(c) < 32 && c != '\t') || c == 127) c = '?';
  }
  expect_equal(reply.lines.front(), text, "other words than were sent");
}

// On the way to a client: there it is read as one reply, with the same code, and changes no more.
void check_onwards(Reply reply) {
  smtp::split_enhanced(reply);
  const std::string wire = reply.wire();
  expect(check_replies(wire) == 1, "one reply becomes several");
  auto again = read_replies(wire);
  expect(again.size() == 1 && again[0].code == reply.code, "another reply goes on");
  smtp::split_enhanced(again[0]);
  expect(reply.enhanced.empty() || reply.intermediate() || again[0].enhanced == reply.enhanced, "the enhanced code is lost");
  if (again[0].enhanced == reply.enhanced) expect_equal(again[0].wire(), wire, "a reply changes each time it goes on");
  expect(mail::speaks_of_recipient(reply) == mail::speaks_of_recipient(reply.text()) || reply.intermediate(), "two opinions on one reply");
  static_cast<void>(mail::is_sender_policy(reply, {"4.1.7", "4.7.*"}));
}

void run(std::string_view bytes) {
  const auto replies = read_replies(bytes);
  if (!replies.empty()) check_first(bytes, replies.front());
  for (const Reply& reply : replies) {
    check_bounds(reply);
    check_onwards(reply);
    const auto capabilities = smtp::parse_capabilities(reply);
    expect(capabilities.size || capabilities.size_limit == 0, "a size that was not offered");
    static_cast<void>(smtp::parse_offers(reply));
  }
}

[[maybe_unused]] const bool kRegistered = add({"reply_parser", &run});

}  // namespace
}  // namespace holdfast::fuzz
