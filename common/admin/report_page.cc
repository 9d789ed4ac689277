#include "common/admin/report_page.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <functional>
#include <set>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/base/time.h"

namespace holdfast::admin {
namespace {

constexpr int kWidth = 640, kHeight = 170, kLeft = 50, kTop = 8, kBottom = 22, kStrip = 16;
constexpr std::size_t kMostStrips = 8;

std::tm local(std::int64_t when_s) {
  const auto t = static_cast<std::time_t>(when_s);
  std::tm out{};
  ::localtime_r(&t, &out);
  return out;
}

std::string dated(std::int64_t when_s, const char* form) {
  const std::tm tm = local(when_s);
  char out[64];
  return {out, std::strftime(out, sizeof out, form, &tm)};
}

// 0, 1, 2, 5, 10, 20 …: the least of them that is not under `most`.
double round_up(double most) {
  double step = 1;
  while (step < most) step *= 10;
  for (const double part : {10.0, 5.0, 2.0}) {
    if (step / part >= most) return step / part;
  }
  return step;
}

std::string short_number(double n) {
  if (n >= 1e9) return fmt::format("{:.4g}G", n / 1e9);
  if (n >= 1e6) return fmt::format("{:.4g}M", n / 1e6);
  return n >= 1e4 ? fmt::format("{:.4g}k", n / 1e3) : fmt::format("{:.4g}", n);
}

// Where a moment of the report lies.
int across(const MailReport& report, std::int64_t when_s) {
  const auto length = std::max<std::int64_t>(1, report.to_s - report.from_s);
  const auto at = std::clamp<std::int64_t>(when_s - report.from_s, 0, length);
  return kLeft + static_cast<int>(at * (kWidth - kLeft - 1) / length);
}

// Every four hours, or every day.
void draw_times(Picture& picture, const MailReport& report) {
  const std::int64_t every = report.weekly ? 24 * 3600 : 4 * 3600;
  for (auto at = report.from_s; at <= report.to_s; at += every) {
    const int x = across(report, at);
    picture.fill(x, kTop, 1, kHeight - kTop - kBottom, Ink::kGrid);
    const std::string text = dated(at, report.weekly ? "%d.%m." : "%H:%M");
    picture.write(std::min(x, kWidth - Picture::text_width(text)), kHeight - kBottom + 6, text, Ink::kText);
  }
}

struct Curve {
  std::function<std::optional<double>(const ReportStep&)> value;
  Ink ink;
};

Picture draw(const MailReport& report, const std::vector<Curve>& curves) {
  Picture out(kWidth, kHeight);
  double most = 0;
  for (const auto& curve : curves) {
    for (const auto& step : report.steps) most = std::max(most, curve.value(step).value_or(0));
  }
  most = round_up(most);
  const int height = kHeight - kTop - kBottom;
  const auto up = [&](double n) { return kTop + height - 1 - static_cast<int>(std::lround(n / most * (height - 1))); };
  draw_times(out, report);
  for (const double n : {0.0, most / 2, most}) {
    const std::string text = short_number(n);
    out.fill(kLeft, up(n), kWidth - kLeft, 1, Ink::kGrid);
    out.write(kLeft - 4 - Picture::text_width(text), std::max(0, up(n) - Picture::kTextHeight / 2), text, Ink::kText);
  }
  for (const auto& curve : curves) {
    std::optional<std::pair<int, int>> before;
    for (std::size_t i = 0; i < report.steps.size(); ++i) {
      const auto value = curve.value(report.steps[i]);
      const int x = across(report, report.from_s + static_cast<std::int64_t>(i) * report.step_s());
      if (value && before) out.line(before->first, before->second, x, up(*value), curve.ink);
      if (value && !before) out.line(x, up(*value), x + 1, up(*value), curve.ink);
      before = value ? std::optional(std::pair(x, up(*value))) : std::nullopt;
    }
  }
  return out;
}

std::function<std::optional<double>(const ReportStep&)> a_minute(double ReportStep::*what) {
  return [what](const ReportStep& step) {
    return step.known_s > 0 ? std::optional(step.*what * 60 / static_cast<double>(step.known_s)) : std::nullopt;
  };
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::size_t column = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k) three = three << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += k > bytes.size() - i ? '=' : kLetters[three >> (18 - 6 * k) & 63];
    if ((column += 4) == 76) {
      out += "\r\n";
      column = 0;
    }
  }
  return column == 0 ? out : out + "\r\n";
}

std::string html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else out += c;
  }
  return out;
}

std::string legend(Ink ink, std::string_view name) {
  return fmt::format("<span style=\"color:{}\">&#9632;</span>&nbsp;{} ", web_colour(ink), name);
}

struct Shown {
  std::string head, alt;
  Picture picture;
};

std::vector<Shown> pictures(const MailReport& report) {
  std::vector<Shown> out;
  if (!report.steps.empty()) {
    out.push_back({"Messages a minute: " + legend(Ink::kBlue, "passed") + legend(Ink::kAmber, "queued") + legend(Ink::kRed, "refused"),
                   "a graph of the messages that passed, were queued and were refused", rates_picture(report)});
    out.push_back({"Messages in the queue", "a graph of the length of the queue", waiting_picture(report)});
  }
  std::set<std::string> names;
  for (const auto& outage : report.outages) names.insert(outage.destination);
  for (const auto& name : names) {
    if (out.size() >= kMostStrips + 2) break;
    const std::string shown = html(base::printable(name));
    out.push_back({shown + ": " + legend(Ink::kGreen, "not down") + legend(Ink::kRed, "down"), "when " + shown + " was down",
                   outages_picture(report, name)});
  }
  return out;
}

std::string crlf(std::string_view text) {
  std::string out;
  for (const auto line : base::split(text, '\n')) {
    out.append(line.substr(0, 900)).append("\r\n");
  }
  return out;
}

constexpr std::string_view kPage =
    "<!DOCTYPE html>\n<html><head><meta charset=\"us-ascii\"><title>Holdfast</title></head>\n"
    "<body style=\"font-family:sans-serif;max-width:60em\">\n";

}  // namespace

std::string report_number(double n) {
  std::string out = fmt::format("{}", std::llround(std::max(0.0, n)));
  for (auto at = static_cast<std::ptrdiff_t>(out.size()) - 3; at > 0; at -= 3) out.insert(static_cast<std::size_t>(at), ",");
  return out;
}

std::string report_moment(std::int64_t when_s) { return dated(when_s, "%a %d %b %H:%M"); }

std::string outage_line(const Outage& outage) {
  std::string out = fmt::format("{}: down {}{}, from {} to {}", outage.destination,
                                outage.before || outage.lasts ? "for at least " : "", base::spell(base::Seconds{outage.to_s - outage.from_s}),
                                outage.before ? "before " + report_moment(outage.from_s) : report_moment(outage.from_s),
                                outage.lasts ? report_moment(outage.to_s) + " and on" : report_moment(outage.to_s));
  if (!outage.reason.empty()) out += ": " + outage.reason;
  return base::printable(out);
}

std::optional<double> most_waiting(const MailReport& report) {
  std::optional<double> out;
  for (const auto& step : report.steps) {
    if (const auto n = step.waiting(); n && (!out || *n > *out)) out = n;
  }
  if (report.queued_now && out) out = std::max(*out, static_cast<double>(*report.queued_now));
  return out;
}

std::vector<ReportRow> report_rows(const MailReport& report) {
  std::vector<ReportRow> out;
  const auto each = static_cast<std::size_t>((report.weekly ? 24 : 1) * 3600 / report.step_s());
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    const auto begin = report.from_s + static_cast<std::int64_t>(i) * report.step_s();
    if (i % each == 0) out.push_back({dated(begin, report.weekly ? "%a %d %b" : "%H:%M"), {}});
    out.back().sum += report.steps[i];
  }
  return out;
}

Picture rates_picture(const MailReport& report) {
  return draw(report, {{a_minute(&ReportStep::refused), Ink::kRed}, {a_minute(&ReportStep::queued), Ink::kAmber},
                       {a_minute(&ReportStep::passed), Ink::kBlue}});
}

Picture waiting_picture(const MailReport& report) {
  return draw(report, {{[](const ReportStep& step) { return step.waiting(); }, Ink::kBlue}});
}

Picture outages_picture(const MailReport& report, const std::string& destination) {
  Picture out(kWidth, kStrip);
  out.fill(kLeft, 0, kWidth - kLeft, kStrip, Ink::kGreen);
  for (const auto& outage : report.outages) {
    if (outage.destination != destination) continue;
    const int from = across(report, outage.from_s);
    out.fill(from, 0, std::max(2, across(report, outage.to_s) - from), kStrip, Ink::kRed);
  }
  return out;
}

ReportBody report_body(const MailReport& report) {
  const std::string outer = fmt::format("holdfast-report-{}", report.to_s), inner = outer + "-page";
  const std::string text = report_text(report);
  std::string page(kPage), parts;
  page += fmt::format("<p>{}</p>\n", html(report_title(report)));
  std::size_t number = 0;
  for (const auto& shown : pictures(report)) {
    const std::string cid = fmt::format("{}-{}@{}", outer, ++number, html(base::printable(report.host)));
    page += fmt::format("<p>{}<br>\n<img src=\"cid:{}\" width=\"{}\" height=\"{}\" alt=\"{}\"></p>\n", shown.head, cid,
                        shown.picture.width(), shown.picture.height(), shown.alt);
    parts += fmt::format("--{}\r\nContent-Type: image/png; name=\"graph-{}.png\"\r\nContent-Transfer-Encoding: base64\r\n"
                         "Content-ID: <{}>\r\nContent-Disposition: inline; filename=\"graph-{}.png\"\r\n\r\n{}",
                         inner, number, cid, number, base64(shown.picture.png()));
  }
  page += "<pre style=\"font-family:monospace\">\n" + html(text) + "</pre>\n</body></html>\n";
  std::string out = fmt::format("--{}\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n{}\r\n", outer, crlf(text));
  out += fmt::format("--{}\r\nContent-Type: multipart/related; type=\"text/html\"; boundary=\"{}\"\r\n\r\n", outer, inner);
  out += fmt::format("--{}\r\nContent-Type: text/html; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n{}\r\n", inner, crlf(page));
  out += parts + fmt::format("--{}--\r\n\r\n--{}--\r\n", inner, outer);
  return {outer, std::move(out)};
}

}  // namespace holdfast::admin
