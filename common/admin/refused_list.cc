#include "common/admin/refused_list.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/admin/log_lines.h"
#include "common/admin/table.h"
#include "common/admin/text_json.h"
#include "common/base/text.h"

namespace holdfast::admin {
namespace {

constexpr std::string_view kNoId = "NOQUEUE: ", kReject = "reject: ", kFilter = "milter-";
constexpr std::string_view kUnreachable = "451 4.4.1";

// The address in "… key<address>…"; smtpd lets no '>' and no blank stand in it.
std::string address_behind(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == text.npos) return "";
  text.remove_prefix(at + key.size());
  return std::string(text.substr(0, text.find('>')));
}

// Takes "NOQUEUE: reject: " off, or behind an ID "milter-reject: "; whether a filter said it. No value: another line.
std::optional<bool> take_begin(const LogLine& line, std::string_view& text) {
  if (line.id.empty()) {
    if (!text.starts_with(kNoId)) return std::nullopt;
    text.remove_prefix(kNoId.size());
  }
  const bool by_filter = text.starts_with(kFilter);
  if (by_filter) text.remove_prefix(kFilter.size());
  if (!text.starts_with(kReject)) return std::nullopt;
  text.remove_prefix(kReject.size());
  return by_filter;
}

// "550 5.1.1", "421": a code, and an enhanced one where it stands.
std::string reply_at(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() < 4 || !std::ranges::all_of(text.substr(0, 3), digit) || text[3] != ' ') return "";
  const auto end = std::min(text.find(' ', 4), text.size());
  const bool enhanced = end > 4 && std::ranges::all_of(text.substr(4, end - 4), [&](char c) { return digit(c) || c == '.'; });
  return std::string(text.substr(0, enhanced ? end : 3));
}

}  // namespace

std::optional<Rejection> rejection_in(std::string_view line, std::int64_t latest_s) {
  const auto parts = LogLine::parse(line);
  if (!parts || parts->daemon != "smtpd") return std::nullopt;
  std::string_view rest = parts->text;
  const auto by_filter = take_begin(*parts, rest);
  if (!by_filter) return std::nullopt;
  const auto client_end = rest.find("]: ");
  if (client_end == rest.npos) return std::nullopt;
  rest.remove_prefix(client_end + 3);
  Rejection out{.when_s = log_time(parts->date, latest_s).value_or(0), .reply = reply_at(rest)};
  if (out.reply.empty()) return std::nullopt;
  out.by_filter = *by_filter;
  rest.remove_prefix(out.reply.size());
  // What is refused stands first, in <>, and then the reason, up to the facts.
  const auto facts = rest.rfind("; from=<");
  std::string_view why = base::trim(rest.substr(0, facts == rest.npos ? rest.find("; proto=") : facts));
  if (why.starts_with('<') && why.find(">: ") != why.npos) why.remove_prefix(why.find(">: ") + 3);
  out.why = why;
  if (facts == rest.npos) return out;
  out.sender = address_behind(rest.substr(facts), "from=<");
  out.recipient = address_behind(rest.substr(facts), " to=<");
  return out;
}

void RefusedList::add(const Rejection& rejection) {
  if (rejection.by_filter || rejection.reply != kUnreachable || rejection.recipient.empty()) return;
  const std::string key = base::to_lower(rejection.recipient);
  if (recipients_.size() >= kMost && !recipients_.contains(key)) forget_oldest();
  auto& entry = recipients_[key];
  ++entry.times;
  if (rejection.when_s < entry.last_s) return;
  entry.address = rejection.recipient;
  entry.last_sender = rejection.sender;
  entry.last_s = rejection.when_s;
}

// A tenth at once, so that it costs little for each.
void RefusedList::forget_oldest() {
  std::vector<std::int64_t> times;
  for (const auto& [key, entry] : recipients_) times.push_back(entry.last_s);
  const auto tenth = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 10);
  std::ranges::nth_element(times, tenth);
  std::size_t left = times.size() / 10 + 1;
  std::erase_if(recipients_, [&, bound = *tenth](const auto& item) {
    return left > 0 && item.second.last_s <= bound && left-- > 0;
  });
}

std::vector<RefusedRecipient> RefusedList::list() const {
  std::vector<RefusedRecipient> out;
  for (const auto& [key, entry] : recipients_) out.push_back(entry);
  std::ranges::stable_sort(out, [](const auto& a, const auto& b) { return a.last_s > b.last_s; });
  return out;
}

base::Result<std::vector<RefusedRecipient>> refused_while_down(const std::string& log_folder, const GoOn& go_on) {
  const auto files = list_log_files(log_folder);
  if (!files) return std::unexpected(files.error());
  RefusedList found;
  for (const auto& file : *files) {
    if (file.name != "smtpd") continue;
    const auto look = [&](std::string_view line) {
      if (line.find(kUnreachable) == line.npos) return;
      if (const auto rejection = rejection_in(line, file.written_s)) found.add(*rejection);
    };
    const auto done = read_lines(file, look, go_on);
    // One that was rotated away meanwhile is read under its new name, or was.
    if (!done && done.error().kind != base::Kind::kNotFound) return std::unexpected(done.error());
  }
  return found.list();
}

std::string refused_json(const RefusedRecipient& refused) {
  return dump_line({{"address", refused.address},
                    {"times", refused.times},
                    {"last", time_json(refused.last_s * 1000)},
                    {"last_sender", refused.last_sender}});
}

std::string refused_text(const std::vector<RefusedRecipient>& refused, std::size_t most, std::int64_t now_ms) {
  Table table({"ADDRESS", ">TIMES", "LAST", "LAST SENDER"});
  for (const auto& one : refused) {
    if (most-- == 0) break;
    table.add({one.address, fmt::format("{}", one.times), ago_text(one.last_s * 1000, now_ms),
               one.last_sender.empty() ? "<>" : one.last_sender});
  }
  return table.take();
}

}  // namespace holdfast::admin
