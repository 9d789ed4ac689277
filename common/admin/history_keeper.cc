#include "common/admin/history_keeper.h"

#include <algorithm>
#include <utility>

#include "common/admin/history_values.h"
#include "common/admin/text_json.h"

namespace holdfast::admin {
namespace {

std::int64_t now_seconds() { return base::to_millis(base::wall_now()) / 1000; }

std::string list_json(const std::vector<std::string>& names) {
  json list = json::array();
  for (const auto& name : names) {
    const auto* row = find_history_series(name);
    list.push_back({{"name", name}, {"unit", row != nullptr ? row->unit : ""}, {"help", row != nullptr ? row->help : ""}});
  }
  return dump({{"series", std::move(list)}});
}

// What a graph of figures means by a step's mean, a strip of states must not: a minute's outage in five minutes would be
// half an outage. As far as the shortest steps are kept, a state's value is the least of its step's.
void take_least(const storage::History& history, const storage::Txn& txn, const std::vector<std::string>& names,
                storage::History::Answer& answer, std::int64_t now) {
  const auto shortest = storage::kHistoryLevels.front();
  if (answer.step <= shortest.step) return;
  std::vector<std::size_t> states;
  std::vector<std::string> state_names;
  for (std::size_t i = 0; i < names.size() && i < answer.values.size(); ++i) {
    if (!names[i].starts_with("state.")) continue;
    states.push_back(i);
    state_names.push_back(names[i]);
  }
  if (states.empty()) return;
  const auto steps = static_cast<std::int64_t>(answer.values[states.front()].size());
  const std::int64_t end = std::min(now, answer.first + steps * answer.step - shortest.step);
  const std::int64_t piece = shortest.step * static_cast<std::int64_t>(storage::History::kMostSteps - 1);
  std::vector<std::vector<bool>> seen(states.size(), std::vector<bool>(static_cast<std::size_t>(steps)));
  const std::int64_t begin = std::max(answer.first, storage::slot(now - shortest.keep, shortest.step) + shortest.step);
  for (std::int64_t from = begin; from <= end; from += piece) {
    const auto part = history.read(txn, state_names, from, std::min(end, from + piece - shortest.step), now);
    if (part.step != shortest.step) return;
    for (std::size_t s = 0; s < states.size(); ++s) {
      for (std::size_t i = 0; i < part.values[s].size(); ++i) {
        if (!part.values[s][i]) continue;
        const auto at = static_cast<std::size_t>((part.first + static_cast<std::int64_t>(i) * part.step - answer.first) / answer.step);
        auto& value = answer.values[states[s]][at];
        value = seen[s][at] && value ? std::min(*value, *part.values[s][i]) : *part.values[s][i];
        seen[s][at] = true;
      }
    }
  }
}

}  // namespace

base::Result<std::unique_ptr<HistoryKeeper>> HistoryKeeper::open(const std::string& state_folder, Health health) {
  auto history = storage::History::open(state_folder);
  if (!history) return std::unexpected(history.error());
  return std::unique_ptr<HistoryKeeper>(new HistoryKeeper(std::move(*history), std::move(health)));
}

HistoryKeeper::HistoryKeeper(std::unique_ptr<storage::History> history, Health health)
    : history_(std::move(history)), read_(history_->env()) {
  storage::BatchWriter::Hooks hooks;
  hooks.health = [health = std::move(health)](std::optional<base::Error> error) {
    if (health) health(error);
  };
  writer_ = std::make_unique<storage::BatchWriter>(history_->env(), storage::BatchWriter::Options{}, std::move(hooks));
}

HistoryKeeper::~HistoryKeeper() { writer_.reset(); }

// While the disk is full samples do not pile up: the newest ones are let go.
void HistoryKeeper::add(Figures figures) {
  constexpr std::size_t kMostWaiting = 60;
  const auto now = base::mono_now();
  const double seconds = std::chrono::duration<double>(now - before_at_).count();
  auto values = history_values(figures, before_ ? &*before_ : nullptr, seconds);
  before_ = std::move(figures);
  before_at_ = now;
  if (writer_->pending() >= kMostWaiting) return;
  writer_->submit([history = history_.get(), at = now_seconds(), values = std::move(values)](storage::WriteTxn& txn) {
    return history->add(txn, at, values);
  });
}

base::Status HistoryKeeper::read(const std::function<void(const storage::History&, const storage::Txn&)>& questions) {
  history_->env().clear_stale_readers();
  const storage::ReadTxn::View view(read_);
  if (!view) return std::unexpected(view.error());
  questions(*history_, read_);
  return {};
}

base::Result<std::string> HistoryKeeper::answer(const std::vector<std::string>& names, std::int64_t from, std::int64_t to) {
  std::string out;
  const auto done = read([&](const storage::History& history, const storage::Txn& txn) {
    out = history_json(history, txn, names, from, to, now_seconds());
  });
  if (!done) return std::unexpected(done.error());
  return out;
}

std::string history_json(const storage::History& history, const storage::Txn& txn, const std::vector<std::string>& names,
                         std::int64_t from, std::int64_t to, std::int64_t now) {
  if (names.empty()) return list_json(history.series(txn));
  auto answer = history.read(txn, names, from, to, now);
  take_least(history, txn, names, answer, now);
  json list = json::array();
  for (std::size_t i = 0; i < names.size(); ++i) {
    json points = json::array();
    if (i < answer.values.size()) {
      for (std::size_t step = 0; step < answer.values[i].size(); ++step) {
        points.push_back({answer.first + static_cast<std::int64_t>(step) * answer.step, optional_json(answer.values[i][step])});
      }
    }
    const auto* row = find_history_series(names[i]);
    list.push_back({{"series", names[i]}, {"unit", row != nullptr ? row->unit : ""}, {"step", answer.step},
                    {"points", std::move(points)}});
  }
  return dump({{"series", std::move(list)}});
}

}  // namespace holdfast::admin
