#include "common/admin/quarantine.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <fmt/core.h>

#include "common/admin/allowed_senders.h"
#include "common/admin/queue_walk.h"
#include "common/admin/table.h"
#include "common/admin/text_json.h"
#include "common/base/panic.h"
#include "common/base/text.h"
#include "common/config/web.h"

namespace holdfast::admin {
namespace {

using base::fail;
using base::Kind;

constexpr std::size_t kPage = 500, kMost = 1'000'000;
constexpr base::Seconds kReload{60};
constexpr base::Millis kPatience{600'000};

// Each quarantined message until `visit` says false; whether all were seen.
base::Result<bool> each_quarantined(Gateway& gateway, const std::string& reason, base::Millis budget,
                                    const std::function<bool(storage::Listed&&)>& visit) {
  std::uint64_t held = 0;
  const auto counted = gateway.read_queue([&](const storage::QueueIndex& index, const storage::Txn& txn) { held = index.counter(txn, "").held; });
  if (!counted) return counted.error().kind == Kind::kNotFound ? base::Result<bool>(true) : std::unexpected(counted.error());
  const auto until = base::mono_now() + budget;
  const Moment moment{.now_ms = base::to_millis(base::wall_now()), .active = {}, .shut = {}};
  QueueWords words;
  words.state = "held";
  words.held_by = reason;
  std::uint64_t met = 0;
  do {
    auto page = queue_page(gateway, words, kPage, moment, until - base::mono_now() < base::Millis(60) ? base::Millis(60) : base::Millis(500));
    if (!page) return std::unexpected(page.error());
    for (auto& item : page->messages) {
      ++met;
      if (is_quarantined(item.message) && !visit(std::move(item))) return true;
    }
    words.after = page->next;
  } while (!words.after.empty() && (met < held || !reason.empty()) && base::mono_now() < until);
  return words.after.empty() || (met >= held && reason.empty());
}

base::Result<std::vector<storage::Listed>> by_ids(Gateway& gateway, const std::vector<std::string>& ids) {
  std::vector<storage::Listed> out;
  for (const auto& id : ids) {
    auto item = find_message(gateway, id);
    if (!item) return std::unexpected(item.error());
    if (!is_quarantined(item->message)) return fail(Kind::kNotFound, fmt::format("message {} is not in quarantine", item->id.text()));
    out.push_back(std::move(*item));
  }
  return out;
}

base::Result<std::vector<storage::Listed>> chosen(Gateway& gateway, const std::string& deed, const QuarantineWish& wish) {
  const bool many = wish.all || !wish.reason.empty();
  if (wish.ids.empty() && !many) return fail(Kind::kUsage, "which messages? Give ids, a reason, or --all");
  if (!wish.ids.empty() && many) return fail(Kind::kUsage, "give ids or a reason, not both");
  if (deed == "delete" && many && !wish.yes && !wish.dry_run) return fail(Kind::kUsage, "this cannot be undone: look with --dry-run, then say --yes");
  if (!wish.ids.empty()) return by_ids(gateway, wish.ids);
  return quarantined(gateway, wish.reason, kMost, kPatience);
}

std::string file_of_allowed(const Gateway& gateway) { return config::allowed_senders_file(gateway.config().paths); }

base::Status allow(Gateway& gateway, const std::string& user, QuarantineDone& done) {
  const auto date = base::iso8601(base::wall_now());
  const auto added = allow_senders(file_of_allowed(gateway), done.senders, user, date);
  if (!added) return std::unexpected(added.error());
  done.newly_allowed = *added;
  if (*added == 0) return {};
  const auto told = gateway.ask("master", "master.reload", {}, kReload);
  return told ? base::Status{} : std::unexpected(told.error());
}

}  // namespace

bool is_quarantined(const storage::MessageRow& row) {
  if (row.state != storage::MessageState::kHeld) return false;
  return row.reason.starts_with("filter: ") || row.reason.starts_with("rescan: ") || row.reason == "a filter's quarantine";
}

base::Result<Quarantine> look_at_quarantine(Gateway& gateway, base::Millis budget) {
  std::map<std::string, QuarantineGroup> groups;
  const auto complete = each_quarantined(gateway, "", budget, [&](storage::Listed&& item) {
    const auto& row = item.message;
    auto& group = groups[row.reason];
    if (group.messages++ == 0) group.reason = row.reason, group.oldest_ms = row.arrival_ms;
    group.bytes += row.size;
    group.oldest_ms = std::min(group.oldest_ms, row.arrival_ms);
    group.newest_ms = std::max(group.newest_ms, row.arrival_ms);
    return true;
  });
  if (!complete) return std::unexpected(complete.error());
  Quarantine out{.groups = {}, .complete = *complete};
  for (auto& [reason, group] : groups) out.groups.push_back(std::move(group));
  std::ranges::stable_sort(out.groups, std::greater<>(), &QuarantineGroup::messages);
  return out;
}

base::Result<std::vector<storage::Listed>> quarantined(Gateway& gateway, const std::string& reason, std::size_t most, base::Millis budget) {
  std::vector<storage::Listed> out;
  const auto complete = each_quarantined(gateway, reason, budget, [&](storage::Listed&& item) {
    out.push_back(std::move(item));
    return out.size() < most;
  });
  if (!complete) return std::unexpected(complete.error());
  return out;
}

std::string quarantine_text(const Quarantine& quarantine, std::int64_t now_ms) {
  Table table({">MESSAGES", ">SIZE", "OLDEST", "NEWEST", "REASON"});
  for (const auto& g : quarantine.groups) {
    table.add({fmt::format("{}", g.messages), bytes_text(g.bytes), ago_text(g.oldest_ms, now_ms), ago_text(g.newest_ms, now_ms), g.reason});
  }
  std::string out = table.empty() ? "Nothing is in quarantine.\n" : table.take();
  if (!quarantine.complete) out += "There may be more: the queue was too long to be looked through.\n";
  return out;
}

std::string group_json(const QuarantineGroup& group) {
  return dump_line({{"reason", group.reason}, {"messages", group.messages}, {"bytes", group.bytes}, {"oldest", time_json(group.oldest_ms)},
                    {"newest", time_json(group.newest_ms)}});
}

std::string quarantine_lines(const Quarantine& quarantine) {
  std::string out;
  for (const auto& group : quarantine.groups) out += group_json(group);
  return out;
}

base::Status run_quarantine(Gateway& gateway, const std::string& deed, const QuarantineWish& wish, const std::string& user, QuarantineDone& done) {
  base::expect(deed == "release" || deed == "delete", "a deed that is none");
  const auto messages = chosen(gateway, deed, wish);
  if (!messages) return std::unexpected(messages.error());
  done.outcome.named = !wish.ids.empty();
  QueueWords words;
  words.dry_run = wish.dry_run;
  std::set<std::string> senders;
  for (const auto& item : *messages) {
    words.ids.push_back(item.id.text());
    senders.insert(item.message.sender);
  }
  if (wish.allow) {
    for (const auto& sender : senders) {
      if (auto good = allowable(sender); !good) return good;
    }
    done.senders.assign(senders.begin(), senders.end());
    if (!wish.dry_run) {
      if (auto allowed = allow(gateway, user, done); !allowed) return allowed;
    }
  }
  if (words.ids.empty()) return {};
  const bool named = done.outcome.named;
  const auto status = run_deed(gateway, *find_deed(deed), words, done.outcome);
  done.outcome.named = named;
  return status;
}

}  // namespace holdfast::admin
