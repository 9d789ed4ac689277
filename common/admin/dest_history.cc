#include "common/admin/dest_history.h"

#include <algorithm>
#include <deque>

#include "common/admin/log_lines.h"
#include "common/admin/table.h"
#include "common/admin/text_json.h"
#include "common/base/text.h"
#include "common/base/time.h"

namespace holdfast::admin {
namespace {

// Behind `key` in "destination=office state=down was=up after=3 reason="connect: refused"".
std::string_view word_behind(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == text.npos) return {};
  text.remove_prefix(at + key.size());
  return text.substr(0, text.find(' '));
}

std::string_view reason_in(std::string_view text) {
  constexpr std::string_view kKey = " reason=\"";
  const auto at = text.find(kKey);
  if (at == text.npos) return {};
  text.remove_prefix(at + kKey.size());
  if (text.ends_with('"')) text.remove_suffix(1);
  return text;
}

std::int64_t lasted(const std::vector<StateChange>& changes, std::size_t i, std::int64_t now_s) {
  const auto end = i + 1 < changes.size() ? changes[i + 1].when_s : now_s;
  return std::max<std::int64_t>(0, end - changes[i].when_s);
}

}  // namespace

std::optional<NamedChange> any_state_change(std::string_view line, std::int64_t latest_s) {
  const auto parts = LogLine::parse(line);
  constexpr std::string_view kFirst = "destination=";
  if (!parts || parts->daemon != "prober" || !parts->text.starts_with(kFirst)) return std::nullopt;
  const auto state = word_behind(parts->text, " state="), was = word_behind(parts->text, " was=");
  if (state.empty() || was.empty()) return std::nullopt;
  return NamedChange{.destination = std::string(word_behind(parts->text, kFirst)),
                     .change = {.when_s = log_time(parts->date, latest_s).value_or(0),
                                .state = std::string(state),
                                .was = std::string(was),
                                .reason = std::string(reason_in(parts->text))}};
}

std::optional<StateChange> state_change(std::string_view line, std::string_view destination, std::int64_t latest_s) {
  auto found = any_state_change(line, latest_s);
  if (!found || found->destination != destination) return std::nullopt;
  return std::move(found->change);
}

base::Result<std::vector<StateChange>> destination_history(const std::string& log_folder, std::string_view destination,
                                                           std::size_t most, const GoOn& go_on) {
  const auto files = list_log_files(log_folder);
  if (!files) return std::unexpected(files.error());
  std::deque<StateChange> found;
  for (const auto& file : *files) {
    if (file.name != "prober") continue;
    const auto look = [&](std::string_view line) {
      auto change = state_change(line, destination, file.written_s);
      if (!change) return;
      found.push_back(std::move(*change));
      if (found.size() > most) found.pop_front();
    };
    if (auto done = read_lines(file, look, go_on); !done) return std::unexpected(done.error());
  }
  return std::vector<StateChange>(found.begin(), found.end());
}

std::string history_text(const std::vector<StateChange>& changes, std::int64_t now_s) {
  Table table({"SINCE", "STATE", "FOR", "REASON"});
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto& change = changes[i];
    table.add({base::iso8601(base::from_millis(change.when_s * 1000)), change.state,
               base::spell(base::Seconds{lasted(changes, i, now_s)}), change.reason});
  }
  return table.take();
}

std::string history_lines_json(const std::vector<StateChange>& changes, std::int64_t now_s) {
  std::string out;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto& change = changes[i];
    out += dump_line({{"time", time_json(change.when_s * 1000)},
                      {"state", change.state},
                      {"was", change.was},
                      {"seconds", lasted(changes, i, now_s)},
                      {"reason", change.reason}});
  }
  return out;
}

}  // namespace holdfast::admin
