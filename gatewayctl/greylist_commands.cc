#include "gatewayctl/greylist_commands.h"

#include <cstdio>
#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/admin/table.h"
#include "common/admin/text_json.h"
#include "common/config/load.h"
#include "common/config/values.h"
#include "common/storage/greylist.h"
#include "gatewayctl/as_owner.h"
#include "gatewayctl/words.h"

namespace holdfast::gatewayctl {
namespace {

using storage::GreyRow;
using storage::Greylist;

constexpr std::size_t kAtOnce = 1000;  // rows of a table, or of a transaction

std::uint32_t now_s() { return static_cast<std::uint32_t>(base::to_millis(base::wall_now()) / 1000); }

std::string_view kind_text(GreyRow::Kind kind) {
  switch (kind) {
    case GreyRow::Kind::kWaiting: return "waiting";
    case GreyRow::Kind::kPassed: return "passed";
    case GreyRow::Kind::kNetwork: return "network";
    case GreyRow::Kind::kByHand: return "by hand";
  }
  return "";
}

struct Wanted {
  std::string network, kind;
  bool all = false, yes = false, dry_run = false;
};

// kNotFound while smtpd has not greylisted anybody yet; who only reads sees an empty list then.
void with_greylist(Invocation& invocation, bool read_only, const std::function<base::Status(Greylist&, const config::Config&)>& body) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const std::string state = gateway.config().paths.state;
    const AsOwnerOf owner(Greylist::folder(state));
    auto list = Greylist::open(state, read_only);
    if (!list && list.error().kind == base::Kind::kNotFound) {
      if (!read_only) return base::fail(base::Kind::kNotFound, "nothing has been greylisted yet");
      if (!invocation.json) std::puts("Nothing has been greylisted yet.");
      return {};
    }
    if (!list) return std::unexpected(list.error());
    return body(**list, gateway.config());
  });
}

base::Result<std::optional<base::Network>> network_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (const auto network = base::Network::parse(text)) return network;
  return base::fail(base::Kind::kUsage, fmt::format("'{}' is no network such as 192.0.2.0/24", text));
}

bool wanted_row(const GreyRow& row, const Wanted& wanted, const std::optional<base::Network>& network) {
  return (wanted.kind.empty() || kind_text(row.kind) == wanted.kind) && (!network || network->contains(row.network.first));
}

std::string row_json(const GreyRow& row, const config::Greylist& rules) {
  const bool allowed = row.kind == GreyRow::Kind::kByHand || row.kind == GreyRow::Kind::kPassed ||
                       (row.kind == GreyRow::Kind::kNetwork && rules.auto_allow > 0 && row.count >= static_cast<std::uint32_t>(rules.auto_allow));
  return dump_line({{"kind", kind_text(row.kind)}, {"network", row.network.text()}, {"first", row.first_s}, {"ends", row.end_s},
                    {"count", row.count}, {"passes", allowed}});
}

void run_list(Invocation& invocation, const Wanted& wanted) {
  with_greylist(invocation, true, [&](Greylist& list, const config::Config& config) -> base::Status {
    const auto network = network_of(wanted.network);
    if (!network) return std::unexpected(network.error());
    storage::ReadTxn txn(list.env());
    const storage::ReadTxn::View view(txn);
    if (!view) return std::unexpected(view.error());
    Table table({"KIND", "NETWORK", "FIRST", "ENDS", ">PASSED"});
    std::size_t count = 0;
    const std::int64_t now_ms = base::to_millis(base::wall_now());
    list.each(txn, now_s(), [&](std::string_view, const GreyRow& row) {
      if (!wanted_row(row, wanted, *network)) return true;
      if (invocation.json) {
        std::fputs(row_json(row, config.greylist).c_str(), stdout);
        return true;
      }
      table.add({std::string(kind_text(row.kind)), row.network.text(), ago_text(std::int64_t{1000} * row.first_s, now_ms),
                 ahead_text(std::int64_t{1000} * row.end_s, now_ms), row.kind == GreyRow::Kind::kNetwork ? std::to_string(row.count) : ""});
      if (++count % kAtOnce == 0) std::fputs(table.take().c_str(), stdout);
      return true;
    });
    std::fputs(table.take().c_str(), stdout);
    return {};
  });
}

// In transactions of a bounded size: mail goes on between two of them.
base::Result<std::uint64_t> erase_rows(Greylist& list, const Wanted& wanted, const std::optional<base::Network>& network) {
  std::vector<std::string> keys;
  {
    storage::ReadTxn txn(list.env());
    const storage::ReadTxn::View view(txn);
    if (!view) return std::unexpected(view.error());
    list.each(txn, 0, [&](std::string_view key, const GreyRow& row) {
      if (wanted_row(row, wanted, network)) keys.emplace_back(key);
      return true;
    });
  }
  for (std::size_t i = 0; i < keys.size() && !wanted.dry_run; i += kAtOnce) {
    auto txn = storage::WriteTxn::begin(list.env());
    if (!txn) return std::unexpected(txn.error());
    for (std::size_t at = i; at < std::min(keys.size(), i + kAtOnce); ++at) {
      if (auto done = list.erase(**txn, keys[at]); !done) return std::unexpected(done.error());
    }
    if (auto done = (*txn)->commit(); !done) return std::unexpected(done.error());
  }
  return keys.size();
}

void run_flush(Invocation& invocation, const Wanted& wanted) {
  if (wanted.all != wanted.network.empty()) {
    invocation.exit_code = report({base::Kind::kUsage, "which entries? Give a network, or --all"});
    return;
  }
  if (wanted.all && !wanted.yes && !wanted.dry_run) {
    invocation.exit_code = report({base::Kind::kUsage, "all senders will be put off again: say --all --yes"});
    return;
  }
  with_greylist(invocation, false, [&](Greylist& list, const config::Config&) -> base::Status {
    const auto network = network_of(wanted.network);
    if (!network) return std::unexpected(network.error());
    const auto changed = erase_rows(list, wanted, *network);
    if (!changed) return std::unexpected(changed.error());
    if (invocation.json) {
      std::fputs(dump_line({{"changed", *changed}}).c_str(), stdout);
    } else {
      fmt::print("{} {} {}forgotten\n", *changed, *changed == 1 ? "entry" : "entries", wanted.dry_run ? "would be " : "");
    }
    return {};
  });
}

void run_allow(Invocation& invocation, const std::string& client, const std::string& length) {
  with_greylist(invocation, false, [&](Greylist& list, const config::Config& config) -> base::Status {
    const auto address = base::Network::parse(client);
    if (!address) return base::fail(base::Kind::kUsage, fmt::format("'{}' is no address", client));
    const auto network = storage::grey_network(address->first);
    if (address->bits < network.bits) {
      return base::fail(base::Kind::kUsage, fmt::format("'{}' is wider than a /24 (IPv6: /64): put it into lists.client.allow", client));
    }
    const auto lasts = length.empty() ? base::Result<base::Seconds>(config.greylist.lifetime) : config::parse_duration(length);
    if (!lasts) return std::unexpected(base::Error{base::Kind::kUsage, lasts.error().text});
    const std::uint32_t now = now_s();
    const GreyRow row{.kind = GreyRow::Kind::kByHand, .network = network, .first_s = now, .end_s = now + static_cast<std::uint32_t>(lasts->count())};
    auto txn = storage::WriteTxn::begin(list.env());
    if (!txn) return std::unexpected(txn.error());
    if (auto done = list.put(**txn, list.network_key(network), row, now, config.greylist.max_entries); !done) return done;
    if (auto done = (*txn)->commit(); !done) return done;
    if (invocation.json) {
      std::fputs(dump_line({{"changed", 1}, {"network", network.text()}, {"ends", row.end_s}}).c_str(), stdout);
    } else {
      fmt::print("{} is not put off for {}\n", network.text(), config::duration_text(*lasts));
    }
    return {};
  });
}

}  // namespace

void add_greylist_commands(CLI::App& app, Invocation& invocation) {
  auto* greylist = app.add_subcommand("greylist", "greylisting: list, flush, allow");
  greylist->require_subcommand(1);
  const auto wanted = std::make_shared<Wanted>();
  auto* list = greylist->add_subcommand("list", "what is remembered; senders and recipients are kept as hashes only");
  list->add_option("--network", wanted->network, "only clients in it")->check(something());
  list->add_option("--kind", wanted->kind, "waiting, passed, network or 'by hand'")->check(CLI::IsMember({"waiting", "passed", "network", "by hand"}));
  list->callback([&invocation, wanted] { run_list(invocation, *wanted); });
  auto* flush = greylist->add_subcommand("flush", "forget a client network, or all");
  flush->add_option("NETWORK", wanted->network, "clients in it");
  flush->add_flag("--all", wanted->all, "every entry");
  flush->add_flag("--dry-run", wanted->dry_run, "only say how many it would be");
  flush->add_flag("--yes", wanted->yes, "yes, I mean it");
  flush->callback([&invocation, wanted] { run_flush(invocation, *wanted); });
  const auto client = std::make_shared<std::string>(), length = std::make_shared<std::string>();
  auto* allow = greylist->add_subcommand("allow", "do not put off a client's network (/24 of IPv4, /64 of IPv6)");
  allow->add_option("CLIENT", *client, "an address of it")->required();
  allow->add_option("--for", *length, "as in 7d; greylist.lifetime unless given")->check(something());
  allow->callback([&invocation, client, length] { run_allow(invocation, *client, *length); });
}

}  // namespace holdfast::gatewayctl
