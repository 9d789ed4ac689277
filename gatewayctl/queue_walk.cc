#include "gatewayctl/queue_walk.h"

#include <fmt/core.h>

#include "common/base/text.h"

namespace holdfast::gatewayctl {
namespace {

constexpr std::size_t kPage = 500;

// Behind the message `after`; from the beginning when that is empty.
base::Result<std::string> first_cursor(Gateway& gateway, const std::string& after, const storage::QueueFilter& filter) {
  if (after.empty()) return std::string();
  const auto item = find_message(gateway, after);
  if (!item) return std::unexpected(item.error());
  std::optional<std::string> cursor;
  const auto read = gateway.read_queue([&](const storage::QueueIndex& index, const storage::Txn& txn) {
    cursor = index.cursor_behind(txn, filter, item->id);
  });
  if (!read) return std::unexpected(read.error());
  if (!cursor)
    return base::fail(base::Kind::kNotFound,
                      fmt::format("message {} is not for {}", item->id.text(), filter.destination));
  return std::move(*cursor);
}

}  // namespace

Moment look(Gateway& gateway) {
  Moment out;
  out.now_ms = base::to_millis(base::wall_now());
  out.active = gateway.active().value_or(std::set<mail::QueueId>{});
  for (const auto& [name, destination] : gateway.config().destinations) {
    const auto row = gateway.directory().destination(name);
    if (!row) continue;
    const auto interval = std::chrono::duration_cast<base::Millis>(destination.probe.interval).count();
    const auto state = storage::effective_state(*row, out.now_ms, interval);
    if (state != mail::DestinationState::kDown && state != mail::DestinationState::kPaused) continue;
    out.shut[name] =
        fmt::format("{} is {}{}{}", name, mail::to_text(state), row->reason.empty() ? "" : ": ", row->reason);
  }
  return out;
}

// An active message is deferred in the index: that state is judged here.
base::Status each_message(Gateway& gateway, const QueueWords& words, std::uint64_t limit, const Moment& moment,
                          const std::function<void(const storage::Listed&)>& visit,
                          const std::function<void()>& page_end) {
  auto filter = words.filter();
  if (!filter) return std::unexpected(filter.error());
  auto start = first_cursor(gateway, words.after, *filter);
  if (!start) return std::unexpected(start.error());
  std::string cursor = std::move(*start);
  do {
    storage::ListPage page;
    const auto read = gateway.read_queue([&](const storage::QueueIndex& index, const storage::Txn& txn) {
      page = index.list(txn, *filter, cursor, kPage);
    });
    if (!read) return read.error().kind == base::Kind::kNotFound ? base::Status{} : read;
    for (const auto& item : page.messages) {
      if (!words.state.empty() && queue_name(item, moment) != words.state) continue;
      if (limit-- == 0) return {};
      visit(item);
    }
    page_end();
    cursor = std::move(page.next);
  } while (!cursor.empty());
  return {};
}

base::Result<storage::Listed> find_message(Gateway& gateway, const std::string& text) {
  const auto id = mail::QueueId::parse(text);
  if (!id) return base::fail(base::Kind::kUsage, fmt::format("'{}' is not a queue id", base::printable(text)));
  std::optional<storage::Listed> out;
  const auto read = gateway.read_queue([&](const storage::QueueIndex& index, const storage::Txn& txn) {
    if (auto row = index.message(txn, *id)) out = storage::Listed{*id, std::move(*row), index.recipients(txn, *id)};
  });
  if (!read && read.error().kind != base::Kind::kNotFound) return std::unexpected(read.error());
  if (!out) return base::fail(base::Kind::kNotFound, fmt::format("there is no message {}", id->text()));
  return std::move(*out);
}

}  // namespace holdfast::gatewayctl
