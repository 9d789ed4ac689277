#include "common/mail/delivery_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/base/panic.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "common/mail/received.h"
#include "common/mail/reply.h"
#include "common/mail/report_text.h"
#include "common/mail/wire_format.h"

namespace holdfast::mail {
namespace {

constexpr std::size_t kFold = 76;

// One header field, folded at blanks (RFC 5322 section 2.2.3).
std::string field(std::string_view name, std::string_view value) {
  std::string out, line = fmt::format("{}:", name);
  for (const auto word : base::split(value, ' ')) {
    if (word.empty()) continue;
    if (line.size() > name.size() + 1 && line.size() + 1 + word.size() > kFold) {
      out += line + "\r\n";
      line.clear();
    }
    line += ' ';
    line += word;
  }
  return out + line + "\r\n";
}

std::string date(std::int64_t ms) { return base::rfc5322_date(base::from_millis(ms)); }

// A line's first dot is doubled in wire format. The original's part is in it already.
std::string stuffed(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find("\r\n", at), text.size() - 2) + 2;
    if (text[at] == '.') out += '.';
    out += text.substr(at, end - at);
    at = end;
  }
  return out;
}

// "addr-type; address" of RFC 3464 section 2.3.2, RFC 6533 section 3 where it is not ASCII.
std::string typed_address(std::string_view address) {
  return fmt::format("{}; {}", is_ascii(address) ? "rfc822" : "utf-8", clean_address(address));
}

// ORCPT: "type;xtext". One without a type cannot be told.
std::string original_recipient(std::string_view orcpt) {
  const auto semicolon = orcpt.find(';');
  if (semicolon == orcpt.npos || semicolon == 0) return {};
  return fmt::format("{}; {}", clean_text(orcpt.substr(0, semicolon)), clean_address(decode_xtext(orcpt.substr(semicolon + 1))));
}

std::string remote_mta(std::string_view relay) {
  const auto name = server_name(relay);
  if (name.empty()) return {};
  if (name.find(':') != name.npos) return fmt::format("dns; [IPv6:{}]", clean_text(name));
  const bool number = name.find_first_not_of("0123456789.") == name.npos;
  return number ? fmt::format("dns; [{}]", name) : fmt::format("dns; {}", clean_text(name));
}

bool is_smtp_reply(std::string_view reply) {
  const auto digit = [&](std::size_t i) { return reply[i] >= '0' && reply[i] <= '9'; };
  if (reply.size() < 3 || !digit(0) || !digit(1) || !digit(2)) return false;
  return reply.size() == 3 || reply[3] == ' ' || reply[3] == '-';
}

std::string status_of(const ReportedRecipient& r, ReportKind kind) {
  std::string status = is_enhanced_code(r.status) ? r.status : "5.0.0";
  status.front() = kind == ReportKind::kFailed ? '5' : kind == ReportKind::kDelayed ? '4' : '2';
  return status;
}

// RFC 3464 section 2.3.3.
std::string_view action(ReportKind kind) {
  switch (kind) {
    case ReportKind::kFailed: return "failed";
    case ReportKind::kDelayed: return "delayed";
    case ReportKind::kRelayed: return "relayed";
    case ReportKind::kDelivered: return "delivered";
  }
  return "";
}

std::string_view subject(ReportKind kind) {
  switch (kind) {
    case ReportKind::kFailed: return "Undelivered Mail Returned to Sender";
    case ReportKind::kDelayed: return "Delayed Mail (still being retried)";
    case ReportKind::kRelayed:
    case ReportKind::kDelivered: return "Successful Mail Delivery Report";
  }
  return "";
}

std::string recipient_fields(const ReportFacts& f, const ReportedRecipient& r) {
  std::string out = "\r\n";
  if (const auto original = original_recipient(r.orcpt); !original.empty()) out += field("Original-Recipient", original);
  out += field("Final-Recipient", typed_address(r.address));
  out += field("Action", action(f.kind));
  out += field("Status", status_of(r, f.kind));
  if (const auto remote = remote_mta(r.remote); !remote.empty()) out += field("Remote-MTA", remote);
  const std::string reply = clean_text(r.reply);
  if (!reply.empty()) out += field("Diagnostic-Code", (is_smtp_reply(reply) ? "smtp; " : "x-holdfast; ") + reply);
  if (f.last_attempt_ms > 0) out += field("Last-Attempt-Date", date(f.last_attempt_ms));
  if (f.kind == ReportKind::kDelayed && f.retry_until_ms > 0) out += field("Will-Retry-Until", date(f.retry_until_ms));
  return out;
}

std::string status_fields(const ReportFacts& f) {
  std::string out;
  if (!f.envid.empty()) out += field("Original-Envelope-Id", clean_text(decode_xtext(f.envid)));
  out += field("Reporting-MTA", "dns; " + f.hostname);
  out += field("Arrival-Date", date(f.arrival_ms));
  out += field("X-Holdfast-Queue-ID", f.original.text());
  for (const auto& r : f.recipients) out += recipient_fields(f, r);
  return out;
}

// The header block at the front, with its last CRLF; of one that is cut off, its whole lines.
std::string_view header_of(std::string_view content) {
  if (content.starts_with("\r\n")) return {};
  const auto end = content.substr(0, kMaxHeader).find("\r\n\r\n");
  if (end != content.npos) return content.substr(0, end + 2);
  content = content.substr(0, kMaxHeader);
  const auto last = content.rfind("\r\n");
  return last == content.npos ? std::string_view() : content.substr(0, last + 2);
}

struct Part {
  std::string type, description, body;
  bool eight_bit = false;
};

// Nothing in it ends a line but CRLF, and no line of it the message: it may come from a damaged record.
std::string safe_lines(std::string_view header) {
  std::string out = from_wire(header);
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] == '\r' && i + 1 < out.size() && out[i + 1] == '\n') ++i;
    else if (out[i] == '\r' || out[i] == '\n' || out[i] == '\0') out[i] = '?';
  }
  return stuffed(out);
}

// RFC 6533 sections 4 and 6: a header in UTF-8 needs the "global" types; one in nothing that anybody could
// name loses its odd bytes instead of spoiling the report.
Part original_part(const ReportFacts& f) {
  const std::string_view header = header_of(f.content);
  const bool global = !is_ascii(header) && is_utf8(header);
  if (f.whole) {
    return {global ? "message/global" : "message/rfc822", "Undelivered message", f.content, !is_ascii(f.content)};
  }
  std::string cleaned = safe_lines(header);
  if (global) return {"message/global-headers", "Header of the message", std::move(cleaned), true};
  std::replace_if(cleaned.begin(), cleaned.end(), [](char c) { return static_cast<unsigned char>(c) > 127; }, '?');
  return {"text/rfc822-headers", "Header of the message", std::move(cleaned), false};
}

std::vector<Part> parts_of(const ReportFacts& f) {
  std::string text = report_text(f), fields = status_fields(f);
  const bool plain = is_ascii(text), plain_fields = is_ascii(fields);
  std::vector<Part> out;
  out.push_back({plain ? "text/plain; charset=us-ascii" : "text/plain; charset=utf-8", "Notification", stuffed(text), !plain});
  out.push_back({plain_fields ? "message/delivery-status" : "message/global-delivery-status", "Delivery report",
                 stuffed(fields), !plain_fields});
  if (!f.content.empty()) out.push_back(original_part(f));
  return out;
}

// Found in none of the parts, whoever wrote them.
std::string boundary_for(const ReportFacts& f, const std::vector<Part>& parts) {
  for (unsigned n = 0;; ++n) {
    std::string boundary = fmt::format("{}.{}.{}/{}", f.id.text(), f.now_ms, n, f.hostname.substr(0, 30));
    const auto holds = [&](const Part& part) { return part.body.find("--" + boundary) != std::string::npos; };
    if (std::none_of(parts.begin(), parts.end(), holds)) return boundary;
  }
}

std::string header_fields(const ReportFacts& f, const std::string& message_id) {
  std::string out = fmt::format("Received: by {} (Holdfast) id {};\r\n\t{}\r\n", f.hostname, f.id.text(), date(f.now_ms));
  out += field("Date", date(f.now_ms));
  out += field("From", fmt::format("Mail Delivery System <MAILER-DAEMON@{}>", f.hostname));
  out += field("To", fmt::format("<{}>", clean_address(f.sender)));
  out += field("Subject", subject(f.kind));
  out += field("Message-ID", message_id);
  const auto& about = f.message_id;
  const bool sound = about.size() > 2 && about.size() < 900 && about.front() == '<' && about.back() == '>' &&
                     clean_text(about, about.size()) == about && about.find(' ') == about.npos;
  if (sound) out += field("In-Reply-To", about) + field("References", about);
  out += "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n";
  return out;
}

}  // namespace

Report build_report(const ReportFacts& f) {
  base::expect(!f.recipients.empty(), "a delivery report about nobody");
  const auto parts = parts_of(f);
  const std::string boundary = boundary_for(f, parts);
  Report out;
  out.message_id = fmt::format("<{}.{}@{}>", f.id.text(), f.now_ms, f.hostname);
  out.content = header_fields(f, out.message_id);
  out.smtputf8 = !is_ascii(out.content);
  out.eight_bit = out.smtputf8 || std::any_of(parts.begin(), parts.end(), [](const Part& p) { return p.eight_bit; });
  out.content += fmt::format("Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{}\"\r\n", boundary);
  if (out.eight_bit) out.content += "Content-Transfer-Encoding: 8bit\r\n";
  out.content += "\r\nThis is a delivery report in MIME format.\r\n";
  for (const auto& part : parts) {
    out.content += fmt::format("\r\n--{}\r\nContent-Description: {}\r\nContent-Type: {}\r\n", boundary, part.description, part.type);
    if (part.eight_bit) out.content += "Content-Transfer-Encoding: 8bit\r\n";
    out.content += "\r\n" + part.body;
  }
  out.content += fmt::format("\r\n--{}--\r\n", boundary);
  return out;
}

std::string decode_xtext(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      c = static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 32 || byte == 127 ? '?' : c;
  }
  return out;
}

bool wants_report(std::string_view notify, ReportKind kind) {
  if (notify.empty()) return !is_success(kind);
  const std::string_view wanted = is_success(kind) ? "SUCCESS" : kind == ReportKind::kFailed ? "FAILURE" : "DELAY";
  const auto words = base::split(notify, ',');
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return base::iequals(base::trim(word), wanted); });
}

}  // namespace holdfast::mail
