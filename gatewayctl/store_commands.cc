#include "gatewayctl/store_commands.h"

#include <cstdio>
#include <memory>

#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "common/storage/index_check.h"
#include "common/storage/index_rebuild.h"
#include "gatewayctl/as_owner.h"

namespace holdfast::gatewayctl {
namespace {

void print(const std::vector<std::string>& texts, std::uint64_t all) {
  for (const auto& text : texts) fmt::print("{}\n", text);
  if (all > texts.size()) fmt::print("… and {} more\n", all - texts.size());
}

std::string dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

base::Result<storage::CheckReport> check(const config::Config& config, bool contents) {
  storage::CheckReport report;
  const AsOwnerOf owner(config.paths.spool);
  auto index = storage::QueueIndex::open(config.paths.spool, {.read_only = true, .map_bytes = config.index_map_size});
  if (!index && index.error().kind == base::Kind::kNotFound) return report;  // nothing was ever kept
  if (!index) return std::unexpected(index.error());
  {
    storage::ReadTxn txn((*index)->env());
    const storage::ReadTxn::View view(txn);
    if (!view) return std::unexpected(view.error());
    storage::check_rows(txn, report);
  }
  if (auto done = storage::check_records(**index, config.paths.spool, {.contents = contents}, report); !done) {
    return std::unexpected(done.error());
  }
  return report;
}

void run_check(Invocation& invocation, bool contents) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto report = check(gateway.config(), contents);
    if (!report) return std::unexpected(report.error());
    if (invocation.json) {
      fmt::print("{}\n", dump({{"messages", report->messages},
                               {"recipients", report->recipients},
                               {"segments", report->segments},
                               {"records", report->records},
                               {"faults", report->faults},
                               {"texts", report->texts}}));
    } else {
      print(report->texts, report->faults);
      fmt::print("{} messages to {} recipients in {} segments, {} records are sound, {} faults\n", report->messages,
                 report->recipients, report->segments, report->records, report->faults);
    }
    if (report->faults == 0) return {};
    return base::fail(base::Kind::kData,
                      "damage was found: what the index lacks or has wrong is mended by "
                      "`gatewayctl queue rebuild`, with the gateway stopped");
  });
}

void run_rebuild(Invocation& invocation, bool hold, bool forget) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const AsOwnerOf owner(gateway.config().paths.spool);
    const auto report = storage::rebuild_index({.spool = gateway.config().paths.spool,
                                                .hold = hold,
                                                .forget = forget,
                                                .env = {.map_bytes = gateway.config().index_map_size}});
    if (!report && report.error().kind == base::Kind::kTemporary) {
      return base::fail(base::Kind::kTemporary, report.error().text + ": stop the gateway first");
    }
    if (!report) return std::unexpected(report.error());
    if (invocation.json) {
      fmt::print("{}\n", dump({{"messages", report->messages},
                               {"kept", report->kept},
                               {"segments", report->segments},
                               {"damaged", report->damaged},
                               {"old_index", report->old_index},
                               {"texts", report->texts}}));
      return {};
    }
    print(report->texts, report->texts.size());
    fmt::print("{} messages from {} segments, of {} their state is known; {} damaged places\n", report->messages,
               report->segments, report->kept, report->damaged);
    if (!report->old_index.empty()) fmt::print("the old index is kept as {}\n", report->old_index);
    if (hold) fmt::print("what was deferred is held: look at it, then `gatewayctl queue release`\n");
    return {};
  });
}

}  // namespace

void add_store_commands(CLI::App& queue, Invocation& invocation) {
  auto* check_command = queue.add_subcommand("check",
                                             "verify the index and every message's record, by checksums; takes its "
                                             "time with a long queue, and is for a calm one: what "
                                             "is delivered meanwhile makes the index's file grow");
  auto quick = std::make_shared<bool>(false);
  check_command->add_flag("--quick", *quick, "envelopes only, not contents");
  check_command->callback([&invocation, quick] { run_check(invocation, !*quick); });

  auto* rebuild =
      queue.add_subcommand("rebuild", "make a damaged or lost index anew from the segments, the gateway being stopped");
  auto hold = std::make_shared<bool>(false), forget = std::make_shared<bool>(false);
  rebuild->add_flag("--hold", *hold, "hold all that is deferred, to be looked at before anything is delivered");
  rebuild->add_flag("--forget-old", *forget,
                    "take nothing over from the old index: what was delivered and not reclaimed is queued again");
  rebuild->callback([&invocation, hold, forget] { run_rebuild(invocation, *hold, *forget); });
}

}  // namespace holdfast::gatewayctl
