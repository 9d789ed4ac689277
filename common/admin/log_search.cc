#include "common/admin/log_search.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "common/admin/queue_walk.h"
#include "common/admin/text_json.h"
#include "common/mail/address.h"

namespace holdfast::admin {
namespace {

FoundLine found_in(const LogFile& file, const LogLine& line, std::string_view whole) {
  return {log_time(line.date, file.written_s).value_or(0), order_in_second(line.text), std::string(whole)};
}

}  // namespace

std::string found_json(const FoundLine& found) {
  const auto line = LogLine::parse(found.line);
  if (!line) return "";
  return dump_line({{"time", time_json(found.when_s * 1000)},
                    {"host", line->host},
                    {"daemon", line->daemon},
                    {"pid", line->pid},
                    {"queue_id", line->id.empty() ? json() : json(line->id)},
                    {"text", line->text}});
}

base::Status LogSearch::add_queued(Gateway& gateway, const std::string& address) {
  if (address.find('@') == address.npos || address.size() > mail::kMaxAddress) return {};
  QueueWords words;
  words.recipient = address;
  return each_message(
      gateway, words, ~0ULL, {}, [&](const storage::Listed& item) { trace_.add(item.id.text()); }, [] {});
}

base::Status LogSearch::search(const GoOn& go_on) {
  const auto files = list_log_files(folder_);
  if (!files) return std::unexpected(files.error());
  const auto learn = [&](const LogFile&, const LogLine& line, std::string_view) { trace_.learn(line); };
  if (auto done = each_line(*files, learn, false, go_on); !done) return done;
  trace_.settle();
  const auto collect = [&](const LogFile& file, const LogLine& line, std::string_view whole) {
    if (trace_.belongs(line)) found_.push_back(found_in(file, line, whole));
  };
  auto done = each_line(*files, collect, true, go_on);
  std::ranges::stable_sort(found_, {}, [](const FoundLine& f) { return std::tuple(f.when_s, f.order); });
  return done;
}

base::Status LogSearch::added(const std::function<void(const FoundLine&)>& visit) {
  const auto files = list_log_files(folder_);
  if (!files) return std::unexpected(files.error());
  std::vector<LogFile> current;
  std::ranges::copy_if(*files, std::back_inserter(current), [](const LogFile& f) { return f.age == 0 && !f.packed; });
  const auto show = [&](const LogFile& file, const LogLine& line, std::string_view whole) {
    if (trace_.learn(line)) trace_.settle();
    if (trace_.belongs(line)) visit(found_in(file, line, whole));
  };
  return each_line(current, show, true, always);
}

// `keep_open`: what is added to the files later is read on from there.
base::Status LogSearch::each_line(const std::vector<LogFile>& files, const Visit& visit, bool keep_open,
                                  const GoOn& go_on) {
  for (const auto& file : files) {
    const auto line_visit = [&](std::string_view whole) {
      if (const auto line = LogLine::parse(whole)) visit(file, *line, whole);
    };
    const bool current = keep_open && file.age == 0 && !file.packed;
    const auto done = current ? tails_.try_emplace(file.path, file.path).first->second.read_on(line_visit, go_on)
                              : read_lines(file, line_visit, go_on);
    // One that was rotated away meanwhile is read under its new name, or was.
    if (!done && done.error().kind != base::Kind::kNotFound) return done;
  }
  return {};
}

}  // namespace holdfast::admin
