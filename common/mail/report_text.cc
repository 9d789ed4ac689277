#include "common/mail/report_text.h"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "common/base/text.h"
#include "common/base/time.h"

namespace holdfast::mail {
namespace {

constexpr std::size_t kWidth = 72;

// Words of `text` in lines that begin with `indent`.
std::string wrapped(std::string_view text, std::string_view indent) {
  std::string out, line(indent);
  for (const auto word : base::split(text, ' ')) {
    if (word.empty()) continue;
    if (line.size() > indent.size() && line.size() + 1 + word.size() > kWidth) {
      out += line + "\r\n";
      line = indent;
    }
    if (line.size() > indent.size()) line += ' ';
    line += word;
  }
  return out + line + "\r\n";
}

std::string date(std::int64_t ms) { return base::rfc5322_date(base::from_millis(ms)); }

std::string age(const ReportFacts& f) {
  return base::spell(base::Seconds(std::max<std::int64_t>(0, f.now_ms - f.arrival_ms) / 1000));
}

std::string_view advice(const ReportedRecipient& r) {
  const std::string_view about = r.status.size() > 2 ? std::string_view(r.status).substr(2) : std::string_view();
  if (r.expired) return "Send it again later, or reach the recipient in another way.";
  if (about == "2.3" || about == "3.4") return "Send a smaller mail, or share what is large in another way.";
  if (about.starts_with("1.")) return "Check the address for a mistake in writing. The recipient may also have left.";
  if (about.starts_with("2.")) return "The mailbox is full or takes no mail. Tell the recipient in another way.";
  if (about.starts_with("6.") || about.starts_with("7.")) {
    return "The recipient's side does not want this mail for what it contains or where it comes from. Ask the "
           "recipient, in another way, to have it let through.";
  }
  return "Show this report to whoever looks after your mail, or reach the recipient in another way.";
}

std::string why_failed(const ReportFacts& f, const ReportedRecipient& r) {
  const auto server = server_name(r.remote);
  if (r.expired) return wrapped(fmt::format("It was kept for {} and could not be handed over in that time. The last word was:", age(f)), "    ");
  if (server.empty()) return wrapped("It was given up for this reason:", "    ");
  return wrapped(fmt::format("The mail server {} refused it and said:", clean_text(server)), "    ");
}

std::string recipient_text(const ReportFacts& f, const ReportedRecipient& r) {
  std::string out = fmt::format("  <{}>\r\n", clean_address(r.address));
  if (f.kind == ReportKind::kFailed) out += why_failed(f, r);
  const std::string reply = clean_text(r.reply);
  if (f.kind == ReportKind::kDelayed && !reply.empty()) out += wrapped("The last word of the other side was:", "    ");
  if (is_success(f.kind)) out += wrapped(fmt::format("The mail server {} took it and said:", clean_text(server_name(r.remote))), "    ");
  if (!reply.empty()) out += wrapped(reply, "      ");
  if (f.kind == ReportKind::kFailed) out += wrapped(advice(r), "    ");
  return out + "\r\n";
}

std::string opening(const ReportFacts& f) {
  std::string out = wrapped(fmt::format("This is the mail gateway at {}. A program wrote this report.", f.hostname), "") + "\r\n";
  if (f.kind == ReportKind::kFailed) {
    return out + wrapped(fmt::format("Your mail of {} was NOT delivered to:", date(f.arrival_ms)), "") + "\r\n";
  }
  if (f.kind == ReportKind::kDelivered) {
    return out + wrapped(fmt::format("Your mail of {} was delivered to:", date(f.arrival_ms)), "") + "\r\n";
  }
  if (f.kind == ReportKind::kRelayed) {
    out += wrapped(fmt::format("Your mail of {} was handed to the recipients' mail server. That server sends no reports of "
                               "success: that it has reached the mailboxes is likely, but nobody can tell you.",
                               date(f.arrival_ms)), "");
    return out + "\r\n" + wrapped("It was handed over for:", "") + "\r\n";
  }
  out += wrapped(fmt::format("Your mail of {} is late. You need not send it again: it is kept here and tried again{}.",
                             date(f.arrival_ms),
                             f.retry_until_ms > 0 ? " until " + date(f.retry_until_ms) : std::string()), "");
  return out + "\r\n" + wrapped("It has not been delivered yet to:", "") + "\r\n";
}

std::string closing(const ReportFacts& f) {
  const std::string_view attached = f.content.empty() ? "The mail itself could not be read any more."
                                    : f.whole         ? "Your mail is attached."
                                                      : "The header of your mail is attached.";
  return wrapped(fmt::format("{} For help, write to postmaster@{} and name the number {}.", attached, f.hostname,
                             f.original.text()), "");
}

bool continuation(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

}  // namespace

std::string report_text(const ReportFacts& f) {
  std::string out = opening(f);
  for (const auto& r : f.recipients) out += recipient_text(f, r);
  return out + closing(f);
}

std::string clean_text(std::string_view text, std::size_t most) {
  std::string out(text.substr(0, most));
  std::replace_if(out.begin(), out.end(), [](char c) { return c < 32 || c > 126; }, '?');
  return out;
}

std::string clean_address(std::string_view address) {
  std::string out(address.substr(0, 900));
  const bool utf8 = is_utf8(out);
  std::replace_if(out.begin(), out.end(), [utf8](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 32 || byte == 127 || c == '<' || c == '>' || (byte > 127 && !utf8);
  }, '?');
  return out;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 128; });
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t more = first < 0x80 ? 0 : first < 0xC2 ? 9 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : first < 0xF5 ? 3 : 9;
    if (more == 9) return false;
    for (std::size_t k = 1; k <= more; ++k) {
      if (!continuation(text, i + k)) return false;
    }
    if (more >= 2) {
      const auto second = static_cast<unsigned char>(text[i + 1]);
      if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
          (first == 0xF4 && second > 0x8F)) {
        return false;
      }
    }
    i += more + 1;
  }
  return true;
}

std::string_view server_name(std::string_view relay) {
  if (relay == "none") return {};
  return relay.substr(0, relay.find('['));
}

}  // namespace holdfast::mail
