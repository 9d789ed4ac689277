// Delivery reports: strangers' words are in them (addresses, a server's replies, the original), and none of these may
// become a header, a field or a part of the report.
#include <algorithm>

#include "common/base/panic.h"
#include "common/mail/delivery_report.h"
#include "fuzz/target.h"
#include "fuzz/wire_checks.h"
#include "fuzz/wire_reference.h"

namespace holdfast::fuzz {
namespace {

using base::expect;
using mail::ReportFacts;

mail::ReportedRecipient read_recipient(Input& input) {
  mail::ReportedRecipient out;
  out.address = input.text();
  out.orcpt = input.text();
  out.status = input.text();
  out.reply = input.text();
  out.remote = input.text();
  out.expired = input.byte() % 2 > 0;
  return out;
}

ReportFacts read_facts(Input& input) {
  const std::uint8_t flags = input.byte();
  ReportFacts facts;
  facts.kind = (flags & 1) > 0 ? mail::ReportKind::kDelayed : mail::ReportKind::kFailed;
  facts.whole = (flags & 2) > 0;
  facts.id.value = 0x1234;
  facts.original.value = input.word();
  facts.hostname = "mx.test";
  facts.now_ms = 1795000000000;
  facts.arrival_ms = (flags & 4) > 0 ? facts.now_ms - 1000 * input.word() : 0;
  facts.last_attempt_ms = (flags & 8) > 0 ? facts.now_ms - 1000 : 0;
  facts.retry_until_ms = (flags & 16) > 0 ? facts.now_ms + 86400000 : 0;
  facts.sender = input.text();
  facts.envid = input.text();
  facts.message_id = input.text();
  const unsigned recipients = 1 + (flags >> 5) % 4U;
  for (unsigned n = 0; n < recipients; ++n) facts.recipients.push_back(read_recipient(input));
  facts.content = decode_chunks(input.rest()).content;
  return facts;
}

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
  Lines out;
  while (!text.empty()) {
    out.push_back(text.substr(0, text.find("\r\n")));
    text.remove_prefix(out.back().size() + 2);
  }
  return out;
}

std::size_t count(const Lines& lines, std::string_view beginning) {
  return static_cast<std::size_t>(std::ranges::count_if(lines, [&](auto line) { return line.starts_with(beginning); }));
}

// The names of its fields, in their order; folded lines belong to the one before.
std::string fields_of(std::string_view header) {
  std::string out;
  for (const auto line : lines_of(header)) {
    if (line.starts_with(' ') || line.starts_with('\t')) continue;
    const auto colon = line.find(':');
    expect(colon != std::string_view::npos, "a line of the report's header that is no field");
    out.append(line.substr(0, colon)).append(" ");
  }
  return out;
}

void check_header(std::string_view header, const mail::Report& report) {
  std::string fields = fields_of(header);
  const std::string about = "In-Reply-To References ";
  if (const auto at = fields.find(about); at != std::string::npos) fields.erase(at, about.size());
  std::string wanted = "Received Date From To Subject Message-ID Auto-Submitted MIME-Version Content-Type ";
  if (report.eight_bit) wanted += "Content-Transfer-Encoding ";
  expect_equal(fields, wanted, "a stranger's field in a report's header");
}

// Without the part of the original, which comes last.
void check_status(std::string_view part, const ReportFacts& facts) {
  const Lines lines = lines_of(part);
  for (const std::string_view field : {"Final-Recipient: ", "Action: ", "Status: "}) {
    expect(count(lines, field) == facts.recipients.size(), "a stranger's field in the report's fields");
  }
  expect(count(lines, "Reporting-MTA: ") == 1 && count(lines, "Arrival-Date: ") == 1, "a stranger's field in the report's fields");
  expect(static_cast<std::size_t>(std::ranges::count(lines, "")) == facts.recipients.size() + 1, "an empty line in the report's fields");
}

void check_parts(std::string_view body, const ReportFacts& facts, std::string_view boundary) {
  const std::string line = "\r\n--" + std::string(boundary) + "\r\n", last = "\r\n--" + std::string(boundary) + "--\r\n";
  std::vector<std::string_view> parts;
  expect(body.ends_with(last), "a report without its end");
  body.remove_suffix(last.size());
  for (;;) {
    const auto at = body.find(line);
    parts.push_back(body.substr(0, at));
    if (at == std::string_view::npos) break;
    body.remove_prefix(at + line.size());
  }
  expect(parts.size() == (facts.content.empty() ? 3U : 4U), "a report with parts of a stranger");
  check_status(parts[2], facts);
}

void run(std::string_view bytes) {
  Input input(bytes);
  const ReportFacts facts = read_facts(input);
  const auto report = mail::build_report(facts);
  const std::string& content = report.content;
  check_content(content);
  const auto end = content.find("\r\n\r\n");
  expect(end != std::string::npos, "a report without body");
  check_header(std::string_view(content).substr(0, end + 2), report);
  const bool ascii = std::ranges::all_of(content, [](char c) { return static_cast<unsigned char>(c) < 128; });
  expect(ascii || report.eight_bit, "a report of 8 bits that says 7");
  const std::string name = "report-type=delivery-status;\r\n\tboundary=\"";
  const auto at = content.find(name) + name.size();
  check_parts(std::string_view(content).substr(end + 2), facts, std::string_view(content).substr(at, content.find('"', at) - at));
}

[[maybe_unused]] const bool kRegistered = add({"delivery_report", &run});

}  // namespace
}  // namespace holdfast::fuzz
