#include "common/admin/queue_run.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/admin/queue_walk.h"
#include "common/admin/table.h"
#include "common/admin/text_json.h"
#include "common/base/text.h"

namespace holdfast::admin {
namespace {

constexpr std::size_t kBatch = 1'000;    // ids a question
constexpr base::Seconds kPatience{600};  // a filter over a great queue walks all of it

base::Status ask_once(Gateway& gateway, const Deed& deed, const QueueWords& words, DeedOutcome& outcome) {
  const auto told = words_of(deed, words);
  if (!told) return std::unexpected(told.error());
  const auto reply = gateway.ask_all("qmgr", fmt::format("queue.{}", deed.name), *told, kPatience);
  if (!reply) return std::unexpected(reply.error());
  if (reply->json.empty() && reply->exit != 0) return base::fail(kind_of(reply->exit), reply->text);
  outcome.add(*reply);
  return {};
}

base::Status ask_in_batches(Gateway& gateway, const Deed& deed, QueueWords words, DeedOutcome& outcome) {
  std::vector<std::string> ids;
  std::swap(ids, words.ids);
  for (std::size_t i = 0; i < ids.size(); i += kBatch) {
    const auto end = std::min(ids.size(), i + kBatch);
    words.ids.assign(ids.begin() + static_cast<std::ptrdiff_t>(i), ids.begin() + static_cast<std::ptrdiff_t>(end));
    if (auto done = ask_once(gateway, deed, words, outcome); !done) return done;
  }
  return {};
}

base::Result<std::vector<std::string>> ids_of(Gateway& gateway, const QueueWords& words) {
  std::vector<std::string> out;
  auto done = each_message(
      gateway, words, ~0ULL, look(gateway), [&](const storage::Listed& item) { out.push_back(item.id.text()); }, [] {});
  if (!done) return std::unexpected(done.error());
  return out;
}

QueueWords by_name(QueueWords words, std::vector<std::string> ids) {
  QueueWords out;
  out.ids = std::move(ids);
  out.dry_run = words.dry_run;
  out.by = std::move(words.by);
  out.until = std::move(words.until);
  out.to = std::move(words.to);
  return out;
}

}  // namespace

void DeedOutcome::add(const ipc::ControlReply& reply) {
  const auto told = admin::json::parse(reply.json, nullptr, false);
  const auto number = [&](const char* name) { return told.is_object() ? told.value(name, std::uint64_t{0}) : 0; };
  changed += number("changed");
  null_sender += number("null_sender");
  busy += number("busy");
  constexpr std::string_view kMissing = "not in the queue:";
  for (const auto line : base::split(reply.text, '\n')) {
    if (!line.starts_with(kMissing)) continue;
    for (const auto id : base::split(base::trim(line.substr(kMissing.size())), ' ')) missing.emplace_back(id);
  }
}

base::Status DeedOutcome::rest() const {
  std::optional<base::Kind> kind;
  std::string text;
  const auto left = [&](bool any, base::Kind of, const std::string& what) {
    if (!any) return;
    kind = of;
    text += (text.empty() ? "" : "\n") + what;
  };
  left(named && null_sender > 0, base::Kind::kData,
       count_text(null_sender, "message") +
           " left alone: of the null sender, there is nobody to tell; queue delete removes such mail");
  left(busy > 0, base::Kind::kTemporary,
       count_text(busy, "message") +
           " left alone: being handed over just now; say it again in a moment, or hold them first");
  std::string ids;
  for (const auto& id : missing) ids += " " + id;
  left(named && !missing.empty(), base::Kind::kNotFound, "not in the queue:" + ids);
  return kind ? base::fail(*kind, text) : base::Status{};
}

std::string DeedOutcome::json() const {
  admin::json out{{"changed", changed}};
  if (null_sender > 0) out["null_sender"] = null_sender;
  if (busy > 0) out["busy"] = busy;
  return dump(out);
}

base::Status run_deed(Gateway& gateway, const Deed& deed, const QueueWords& words, DeedOutcome& outcome) {
  outcome.named = !words.ids.empty();
  if (auto good = words_of(deed, words); !good) return std::unexpected(good.error());
  if (outcome.named) return ask_in_batches(gateway, deed, words, outcome);
  if (!words.aged()) return ask_once(gateway, deed, words, outcome);
  if (words.all) return base::fail(base::Kind::kUsage, "give a filter or --all, not both");
  auto ids = ids_of(gateway, words);
  if (!ids) return std::unexpected(ids.error());
  return ask_in_batches(gateway, deed, by_name(words, std::move(*ids)), outcome);
}

}  // namespace holdfast::admin
