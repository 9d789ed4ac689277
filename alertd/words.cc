#include "alertd/words.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/panic.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "common/config/alert_kinds.h"

namespace holdfast::alertd {
namespace {

std::string date(std::int64_t ms) { return base::rfc5322_date(base::from_millis(ms)); }

std::string spell(std::int64_t ms) { return base::spell(base::Seconds(std::max<std::int64_t>(0, ms) / 1000)); }

std::string number_text(std::uint64_t n) {
  std::string out = fmt::format("{}", n);
  for (auto at = static_cast<std::ptrdiff_t>(out.size()) - 3; at > 0; at -= 3) out.insert(static_cast<std::size_t>(at), ",");
  return out;
}

std::string bytes_text(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1024 && unit + 1 < std::size(kUnits); ++unit) size /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", size, kUnits[unit]);
}

std::string times_text(std::uint64_t count) { return count == 1 ? "once" : fmt::format("{} times", number_text(count)); }

std::string end_text(const Alert& alert, const config::AlertKind& kind) {
  return alert.ended.empty() ? config::about(kind.all_clear, alert.subject) : fmt::format("{} {}", alert.subject, alert.ended);
}

std::string headline(const Alert& alert, const config::AlertKind& kind, What what) {
  const std::string title = config::about(kind.title, alert.subject);
  switch (what) {
    case What::kRepeated:
      return kind.lasting ? "still: " + title : fmt::format("{} ({} more)", title, alert.count - std::min(alert.count, alert.told_count));
    case What::kFlapping: return "again and again: " + title;
    case What::kCalm: return "still, and no longer changing: " + title;
    case What::kCleared: return end_text(alert, kind);
    case What::kOpened:
    case What::kTest:
    case What::kReport: return title;
  }
  base::panic("a notice of no kind");
}

std::string opening(const Alert& alert, const config::AlertKind& kind, What what, std::int64_t now_ms) {
  std::string title = config::about(kind.title, alert.subject);
  if (!kind.lasting) {
    return fmt::format("{}: {} since {}.\n", title, times_text(alert.count), date(alert.first_ms));
  }
  switch (what) {
    case What::kFlapping:
      return fmt::format("{}: it has come and gone {} since {}, and is {} now. You will hear of it when it has been calm "
                         "for a while.\n", title, times_text(alert.count), date(alert.first_ms), alert.open() ? "there" : "over");
    case What::kCleared: {
      const auto began = alert.raised.size() >= AlertBook::kFlaps ? alert.first_ms : alert.opened_ms;
      return fmt::format("{}. It lasted {}, from {} to {}.\n", end_text(alert, kind),
                         spell(alert.closed_ms - began), date(began), date(alert.closed_ms));
    }
    default: return fmt::format("{} since {} ({}).\n", title, date(alert.opened_ms), spell(now_ms - alert.opened_ms));
  }
}

std::string held_text(const Held& held, const Surroundings& around, std::int64_t now_ms) {
  std::string out = fmt::format("\nQueued now: {}.", amount_text(held.messages, held.bytes));
  if (held.messages > 0 && held.oldest_ms > 0) out += fmt::format(" The oldest has waited {}.", spell(now_ms - held.oldest_ms));
  if (held.messages > 0 && held.expires_ms > 0) {
    out += fmt::format(" The first goes back to its sender in {}, at {}.", spell(held.expires_ms - now_ms), date(held.expires_ms));
  }
  if (around.lifetime_ms > 0) out += fmt::format(" Each message is kept for {}.", spell(around.lifetime_ms));
  return out + "\n";
}

std::string outcome_text(const Alert& alert, const Held& held) {
  if (alert.most.messages == 0) return "\nNo mail had to be queued meanwhile.\n";
  const auto left = std::min(held.messages, alert.most.messages);
  return fmt::format("\nQueued at most: {}. Handed over since: {}. Still queued: {}.\n",
                     amount_text(alert.most.messages, alert.most.bytes), number_text(alert.most.messages - left),
                     amount_text(held.messages, held.bytes));
}

std::string body(const Alert& alert, const config::AlertKind& kind, What what, const Surroundings& around, std::int64_t now_ms) {
  const bool mail = kind.subject == "destination" || kind.name.starts_with("queue_");
  std::string out = opening(alert, kind, what, now_ms);
  if (what == What::kCleared) {
    if (kind.name == "destination_down" && around.held) out += outcome_text(alert, *around.held);
    return out;
  }
  if (!alert.cause.empty()) out += fmt::format("\nCause: {}\n", alert.cause);
  out += fmt::format("\n{}\n", kind.cause);
  if (mail && around.held) out += held_text(*around.held, around, now_ms);
  out += fmt::format("\nWhat to do: {}\n", config::about(kind.advice, alert.subject));
  if (kind.lasting && around.repeat_ms > 0) {
    out += fmt::format("\nYou will be told again every {} while it lasts. To stop that: gatewayctl alert ack {}\n",
                       spell(around.repeat_ms), alert.id);
  }
  return out;
}

// Line by line: what came from outside must not make lines of its own.
std::string clean(std::string_view text) {
  std::string out;
  for (const auto line : base::split(text, '\n')) out += base::printable(line) + "\n";
  out.pop_back();
  return out;
}

void finish(Notice& notice, const std::string& host, std::string headline, std::string text) {
  notice.title = base::printable(fmt::format("[Holdfast {}] {}", host, headline));
  notice.text = clean(text);
}

}  // namespace

std::string amount_text(std::uint64_t messages, std::uint64_t bytes) {
  if (messages == 0) return "no message";
  return fmt::format("{} message{} ({})", number_text(messages), messages == 1 ? "" : "s", bytes_text(bytes));
}

Notice notice_of(const Alert& alert, What what, const Surroundings& around, std::int64_t now_ms) {
  const auto* kind = config::find_alert_kind(alert.kind);
  base::expect(kind != nullptr, "an alert of no known kind");
  Notice notice;
  notice.alert = alert.id;
  notice.what = what;
  notice.made_ms = now_ms;
  Alert shown = alert;
  shown.subject = base::printable(alert.subject);
  shown.cause = base::printable(alert.cause);
  finish(notice, around.host, headline(shown, *kind, what), body(shown, *kind, what, around, now_ms));
  const auto time = [](std::int64_t ms) { return ms == 0 ? std::string() : base::iso8601(base::from_millis(ms)); };
  const Held held = around.held.value_or(Held{});
  notice.facts = {{"alert", fmt::format("{}", alert.id)}, {"kind", alert.kind}, {"subject", shown.subject},
                  {"severity", std::string(config::to_text(kind->severity))}, {"what", std::string(to_text(what))},
                  {"title", notice.title}, {"text", notice.text}, {"cause", shown.cause}, {"since", time(alert.opened_ms)},
                  {"until", time(what == What::kCleared ? alert.closed_ms : 0)}, {"held", fmt::format("{}", held.messages)},
                  {"held_bytes", fmt::format("{}", held.bytes)}, {"count", fmt::format("{}", alert.count)}, {"host", around.host}};
  return notice;
}

Notice test_notice(const std::string& host, const std::string& user, std::int64_t now_ms) {
  Notice notice;
  notice.what = What::kTest;
  notice.made_ms = now_ms;
  finish(notice, host, "a test", fmt::format("This is a test of the roads that alerts take, asked for by {} at {}. All is as it was.\n",
                                             base::printable(user), date(now_ms)));
  notice.facts = {{"alert", "0"}, {"kind", "test"}, {"subject", ""}, {"severity", "warning"}, {"what", "test"},
                  {"title", notice.title}, {"text", notice.text}, {"cause", ""}, {"since", base::iso8601(base::from_millis(now_ms))},
                  {"until", ""}, {"held", "0"}, {"held_bytes", "0"}, {"count", "1"}, {"host", host}};
  return notice;
}

}  // namespace holdfast::alertd
