#include "common/admin/queue_filter.h"

#include <fmt/core.h>

#include "common/config/values.h"
#include "common/mail/address.h"

namespace holdfast::admin {

using base::fail;
using base::Kind;

base::Status QueueWords::check() const {
  for (const auto* value : {&destination, &domain, &sender, &recipient, &held_by}) {
    if (value->size() > mail::kMaxAddress) return fail(Kind::kUsage, "a filter is longer than any address");
  }
  return {};
}

base::Result<storage::QueueFilter> QueueWords::filter() const {
  if (auto good = check(); !good) return std::unexpected(good.error());
  storage::QueueFilter out{
      .state = std::nullopt, .destination = destination, .domain = domain, .sender = sender, .recipient = recipient,
      .unfiltered = unfiltered, .held_by = held_by};
  if (state.empty()) return out;
  out.state = storage::parse_message_state(state == "active" ? "deferred" : state);
  if (!out.state)
    return fail(Kind::kUsage, fmt::format("'{}' is not a state: active, deferred, held or frozen", state));
  return out;
}

base::Result<QueueWords::Between> QueueWords::arrivals(std::int64_t now_ms) const {
  Between out{.from_ms = 0, .to_ms = now_ms + 86'400'000};  // a clock that was set back is no reason to hide mail
  const auto before_now = [&](const char* name, const std::string& value, std::int64_t& ms) -> base::Status {
    if (value.empty()) return {};
    const auto age = config::parse_duration(value);
    if (!age) return fail(Kind::kUsage, fmt::format("{}: {}", name, age.error().text));
    ms = now_ms - age->count() * 1000;
    return {};
  };
  if (auto done = before_now("older", older, out.to_ms); !done) return std::unexpected(done.error());
  if (auto done = before_now("younger", younger, out.from_ms); !done) return std::unexpected(done.error());
  return out;
}

base::Result<std::vector<std::string>> QueueWords::for_qmgr(bool destroys) const {
  if (auto good = check(); !good) return std::unexpected(good.error());
  if (auto good = arrivals(0); !good) return std::unexpected(good.error());
  if (ids.empty() && !filtered() && !all) return fail(Kind::kUsage, "which messages? Give ids, a filter, or --all");
  if (!ids.empty() && (filtered() || all)) return fail(Kind::kUsage, "give ids or a filter, not both");
  if (destroys && ids.empty() && !yes && !dry_run) {
    return fail(Kind::kUsage, "this cannot be undone: look with --dry-run, then say --yes");
  }
  std::vector<std::string> out;
  for (const auto& id : ids) {
    const auto parsed = mail::QueueId::parse(id);
    if (!parsed) return fail(Kind::kUsage, fmt::format("'{}' is not a queue id", id));
    out.push_back(parsed->text());
  }
  const auto option = [&](const char* name, const std::string& value) {
    if (!value.empty()) out.insert(out.end(), {name, value});
  };
  option("--destination", destination);
  option("--domain", domain);
  option("--sender", sender);
  option("--recipient", recipient);
  option("--state", state);
  option("--held-by", held_by);
  if (unfiltered) out.emplace_back("--unfiltered");
  if (all) out.emplace_back("--all");
  if (dry_run) out.emplace_back("--dry-run");
  return out;
}

}  // namespace holdfast::admin
