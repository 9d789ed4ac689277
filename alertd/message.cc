#include "alertd/message.h"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "common/base/time.h"

namespace holdfast::alertd {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestLine = 900;

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

const std::string& fact(const Notice& notice, std::string_view key) {
  static const std::string none;
  const auto found = std::ranges::find(notice.facts, key, &Fact::key);
  return found == notice.facts.end() ? none : found->value;
}

std::string id_text(const Notice& notice) { return fmt::format("{}", notice.id); }

// Of lines ended by \n.
std::string crlf(std::string_view text) {
  std::string out;
  for (auto line : base::split(text, '\n')) {
    for (; line.size() > kLongestLine; line.remove_prefix(kLongestLine)) out.append(line.substr(0, kLongestLine)).append("\r\n");
    out.append(line).append("\r\n");
  }
  if (text.ends_with('\n')) out.resize(out.size() - 2);
  return out;
}

std::string thread_id(const Notice& notice, const MailHeads& heads) {
  return fmt::format("<alert-{}-{}@{}>", notice.alert, fact(notice, "kind"), heads.host);
}

std::string message_id(const Notice& notice, const MailHeads& heads) {
  return fmt::format("<alert-{}-{}-{}@{}>", notice.alert, notice.id, notice.made_ms, heads.host);
}

json alertmanager_body(const Notice& notice, std::int64_t repeat_ms) {
  static constexpr std::int64_t kDay = 86'400'000;
  const bool cleared = notice.what == What::kCleared;
  const auto forget = notice.made_ms + (repeat_ms > 0 ? 2 * repeat_ms : kDay);
  return json::array({{{"labels", {{"alertname", fact(notice, "kind")}, {"subject", fact(notice, "subject")},
                                   {"severity", fact(notice, "severity")}, {"gateway", fact(notice, "host")}}},
                       {"annotations", {{"summary", notice.title}, {"description", notice.text}}},
                       {"startsAt", fact(notice, "since")},
                       {"endsAt", cleared ? fact(notice, "until") : base::iso8601(base::from_millis(forget))}}});
}

// The three that Slack gives a meaning.
std::string slack_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else out += c;
  }
  return out;
}

WebBody ntfy_body(const Notice& notice) {
  const bool bad = notice.what != What::kCleared && notice.what != What::kTest;
  const bool urgent = bad && fact(notice, "severity") == "critical";
  return {.content = notice.text, .content_type = "text/plain; charset=utf-8",
          .headers = {"Title: " + notice.title, urgent ? "Priority: high" : "Priority: default",
                      bad ? "Tags: warning" : "Tags: white_check_mark"}};
}

std::string report_text(const Notice& notice, const MailHeads& heads) {
  return fmt::format("From: Holdfast <{}>\r\nTo: <{}>\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <report-{}-{}@{}>\r\n"
                     "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\nX-Holdfast-Report: {}\r\n"
                     "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"{}\"\r\n\r\n{}",
                     heads.from, heads.to, notice.title, base::rfc5322_date(base::from_millis(notice.made_ms)), notice.id, notice.made_ms,
                     heads.host, heads.host, fact(notice, "boundary"), notice.text);
}

}  // namespace

std::string mail_text(const Notice& notice, const MailHeads& heads) {
  if (notice.what == What::kReport) return report_text(notice, heads);
  const bool first = notice.what == What::kOpened || notice.what == What::kTest;
  std::string out = fmt::format("From: Holdfast <{}>\r\nTo: <{}>\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: {}\r\n", heads.from, heads.to,
                                notice.title.substr(0, kLongestLine), base::rfc5322_date(base::from_millis(notice.made_ms)),
                                message_id(notice, heads));
  if (notice.alert != 0) out += fmt::format("References: {}\r\n", thread_id(notice, heads));
  if (!first) out += fmt::format("In-Reply-To: {}\r\n", thread_id(notice, heads));
  out += "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n";
  if (fact(notice, "severity") == "critical" && notice.what != What::kCleared) out += "Importance: high\r\n";
  out += fmt::format("X-Holdfast-Alert: {}; {}; {}\r\n", fact(notice, "kind"), fact(notice, "what"), notice.alert);
  out += "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n";
  return out + crlf(notice.text);
}

std::string fill_template(std::string_view text, const std::vector<Fact>& facts) {
  std::string out;
  for (auto at = text.find("{{"); at != text.npos; at = text.find("{{")) {
    const auto end = text.find("}}", at);
    if (end == text.npos) break;
    out.append(text.substr(0, at));
    std::string_view name = base::trim(text.substr(at + 2, end - at - 2));
    const bool whole = name.ends_with("_json");
    const auto found = std::ranges::find(facts, whole ? name.substr(0, name.size() - 5) : name, &Fact::key);
    if (found == facts.end()) {
      out.append(text.substr(at, end + 2 - at));
    } else {
      const std::string quoted = dump(found->value);
      out += whole ? quoted : quoted.substr(1, quoted.size() - 2);
    }
    text.remove_prefix(end + 2);
  }
  return out.append(text);
}

std::string facts_json(const Notice& notice) {
  json out{{"id", notice.id}};
  for (const auto& [key, value] : notice.facts) {
    const bool number = key == "alert" || key == "held" || key == "held_bytes" || key == "count";
    if (number) out[key] = base::to_number(value).value_or(0);
    else out[key] = value;
  }
  return dump(out);
}

WebBody web_body(const Notice& notice, const config::Webhook& hook, std::int64_t repeat_ms) {
  WebBody out{.content = {}, .content_type = "application/json", .headers = {}};
  if (hook.format == "slack") {
    out.content = dump({{"text", fmt::format("*{}*\n{}", slack_text(notice.title), slack_text(notice.text))}});
  } else if (hook.format == "ntfy") {
    out = ntfy_body(notice);
  } else if (hook.format == "alertmanager") {
    out.content = dump(alertmanager_body(notice, repeat_ms));
  } else if (hook.format == "template") {
    auto facts = notice.facts;
    facts.push_back({"id", id_text(notice)});
    out.content = fill_template(hook.body, facts);
  } else {
    out.content = facts_json(notice);
  }
  if (!hook.content_type.empty()) out.content_type = hook.content_type;
  return out;
}

}  // namespace holdfast::alertd
