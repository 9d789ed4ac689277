#include "common/admin/history_keeper.h"

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

base::Result<std::string> HistoryKeeper::answer(const std::vector<std::string>& names, std::int64_t from, std::int64_t to) {
  history_->env().clear_stale_readers();
  const storage::ReadTxn::View view(read_);
  if (!view) return std::unexpected(view.error());
  return history_json(*history_, read_, names, from, to, now_seconds());
}

std::string history_json(const storage::History& history, const storage::Txn& txn, const std::vector<std::string>& names,
                         std::int64_t from, std::int64_t to, std::int64_t now) {
  if (names.empty()) return list_json(history.series(txn));
  const auto answer = history.read(txn, names, from, to, now);
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
