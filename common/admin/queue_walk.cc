#include "common/admin/queue_walk.h"

#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/storage/queue_cursor.h"

namespace holdfast::admin {
namespace {

constexpr std::size_t kPage = 500;

constexpr char kOfPage = '~';  // what begins a cursor of ours: the index's own, in hexadecimal

std::string page_mark(std::string_view cursor) {
  std::string out;
  if (cursor.empty()) return out;
  out += kOfPage;
  for (const char c : cursor) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

base::Result<std::string> cursor_of(std::string_view mark) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  std::string out;
  for (std::size_t i = 1; i < mark.size(); i += 2) {
    const int high = digit(mark[i]), low = i + 1 < mark.size() ? digit(mark[i + 1]) : -1;
    if (high < 0 || low < 0 || out.size() > 600) return base::fail(base::Kind::kUsage, "that is no page's end");
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

// Behind the message `after`; when that is empty, from what came at `from_ms`, or the beginning.
base::Result<std::string> first_cursor(Gateway& gateway, const std::string& after, const storage::QueueFilter& filter,
                                       std::int64_t from_ms) {
  if (after.empty()) return from_ms > 0 ? storage::cursor_from(filter, from_ms) : std::string();
  if (after.front() == kOfPage) return cursor_of(after);
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

// Those that are handed over now are few and known by their ids: the queue need not be searched for them. Cursors are
// those of a list, whose order is theirs.
storage::ListPage list_active(const storage::QueueIndex& index, const storage::Txn& txn, const storage::QueueFilter& filter,
                              const Moment& moment, const std::string& cursor, std::size_t limit) {
  std::map<std::string, storage::Listed> found;
  for (const auto id : moment.active) {
    auto key = index.cursor_behind(txn, filter, id);
    if (!key || *key <= cursor) continue;
    auto row = index.message(txn, id);
    if (!filter.matches(*row)) continue;
    auto to = index.recipients(txn, id);
    if (filter.matches(to)) found.emplace(std::move(*key), storage::Listed{id, std::move(*row), std::move(to)});
  }
  storage::ListPage out;
  for (auto& [key, item] : found) {
    if (out.messages.size() == limit) break;
    out.messages.push_back(std::move(item));
    out.next = key;
  }
  if (out.messages.size() == found.size()) out.next.clear();
  return out;
}

// What follows the cursor, as QueueIndex::list() gives it; an empty page while nothing was ever kept.
base::Result<storage::ListPage> list_step(Gateway& gateway, const QueueWords& words, const storage::QueueFilter& filter,
                                          const Moment& moment, const std::string& cursor, std::size_t limit) {
  storage::ListPage out;
  const auto read = gateway.read_queue([&](const storage::QueueIndex& index, const storage::Txn& txn) {
    out = words.state == "active" ? list_active(index, txn, filter, moment, cursor, limit) : index.list(txn, filter, cursor, limit);
  });
  if (!read && read.error().kind != base::Kind::kNotFound) return std::unexpected(read.error());
  return out;
}

// How many there are to find, where that is known and few: the search may end with the last of them.
std::uint64_t most_to_find(Gateway& gateway, const QueueWords& words, const Moment& moment) {
  const bool rare = words.after.empty() && !words.unfiltered && (words.state == "held" || words.state == "frozen");
  return rare ? queue_total(gateway, words, moment).value_or(~0ULL) : ~0ULL;
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
  const auto between = words.arrivals(base::to_millis(base::wall_now()));
  if (!between) return std::unexpected(between.error());
  auto start = first_cursor(gateway, words.after, *filter, between->from_ms);
  if (!start) return std::unexpected(start.error());
  std::string cursor = std::move(*start);
  do {
    auto page = list_step(gateway, words, *filter, moment, cursor, kPage);
    if (!page) return std::unexpected(page.error());
    for (const auto& item : page->messages) {
      if (item.message.arrival_ms > between->to_ms) return page_end(), base::Status{};
      if (item.message.arrival_ms < between->from_ms) continue;
      if (!words.state.empty() && queue_name(item, moment) != words.state) continue;
      if (limit-- == 0) return {};
      visit(item);
    }
    page_end();
    cursor = std::move(page->next);
  } while (!cursor.empty());
  return {};
}

base::Result<QueuePage> queue_page(Gateway& gateway, const QueueWords& words, std::size_t limit, const Moment& moment,
                                   base::Millis budget) {
  QueuePage out;
  const auto until = base::mono_now() + budget;
  const auto filter = words.filter();
  if (!filter) return std::unexpected(filter.error());
  const auto between = words.arrivals(moment.now_ms);
  if (!between) return std::unexpected(between.error());
  auto cursor = first_cursor(gateway, words.after, *filter, between->from_ms);
  if (!cursor) return std::unexpected(cursor.error());
  const auto most = most_to_find(gateway, words, moment);
  if (most == 0) return out;
  do {
    auto page = list_step(gateway, words, *filter, moment, *cursor, limit - out.messages.size());
    if (!page) return std::unexpected(page.error());
    for (auto& item : page->messages) {
      if (item.message.arrival_ms > between->to_ms) return out;
      if (item.message.arrival_ms < between->from_ms) continue;
      if (!words.state.empty() && queue_name(item, moment) != words.state) continue;
      out.messages.push_back(std::move(item));
    }
    *cursor = std::move(page->next);
    // Counted again: more may have come between the count and the list.
    if (out.messages.size() == most && most_to_find(gateway, words, moment) == most) return out;
  } while (!cursor->empty() && out.messages.size() < limit && base::mono_now() < until);
  out.next = page_mark(*cursor);
  return out;
}

std::optional<std::uint64_t> queue_total(Gateway& gateway, const QueueWords& words, const Moment& moment) {
  if (!words.sender.empty() || !words.recipient.empty() || !words.held_by.empty() || words.aged()) return std::nullopt;
  if (words.unfiltered && !words.state.empty()) return std::nullopt;
  if (!words.domain.empty() && !words.destination.empty()) return std::nullopt;
  const bool by_activity = words.state == "active" || words.state == "deferred";
  if (by_activity && !(words.domain.empty() && words.destination.empty())) return std::nullopt;
  storage::Counter counter;
  const auto read = gateway.read_queue([&](const storage::QueueIndex& index, const storage::Txn& txn) {
    counter = words.domain.empty() ? index.counter(txn, words.destination)
                                   : index.domain_counter(txn, base::to_lower(words.domain));
  });
  if (!read && read.error().kind != base::Kind::kNotFound) return std::nullopt;
  const auto active = std::min<std::uint64_t>(counter.deferred, moment.active.size());
  if (words.unfiltered) return counter.unfiltered;
  if (words.state.empty()) return counter.messages();
  if (words.state == "active") return active;
  if (words.state == "deferred") return counter.deferred - active;
  return words.state == "held" ? counter.held : counter.frozen;
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

}  // namespace holdfast::admin
