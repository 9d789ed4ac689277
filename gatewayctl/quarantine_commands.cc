#include "gatewayctl/quarantine_commands.h"

#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include "common/admin/quarantine.h"
#include "common/admin/queue_walk.h"
#include "common/admin/text_json.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/config/web.h"
#include "gatewayctl/as_owner.h"
#include "gatewayctl/words.h"

namespace holdfast::gatewayctl {
namespace {

constexpr base::Millis kPatience{600'000};
constexpr std::size_t kMost = 1'000'000;

std::string user() {
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_name : fmt::format("uid {}", ::getuid());
}

base::Status list_groups(const Invocation& invocation, Gateway& gateway) {
  const auto found = look_at_quarantine(gateway, kPatience);
  if (!found) return std::unexpected(found.error());
  std::fputs((invocation.json ? quarantine_lines(*found) : quarantine_text(*found, base::to_millis(base::wall_now()))).c_str(), stdout);
  return {};
}

void run_list(Invocation& invocation, const std::string& reason) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    if (reason.empty()) return list_groups(invocation, gateway);
    const auto found = quarantined(gateway, reason, kMost, kPatience);
    if (!found) return std::unexpected(found.error());
    const Moment moment = look(gateway);
    Table table = queue_table();
    for (const auto& item : *found) {
      if (invocation.json) std::fputs(queue_json(item, moment).c_str(), stdout);
      else add_to(table, item, moment);
    }
    if (!invocation.json) std::fputs(table.empty() ? "Nothing of that reason is in quarantine.\n" : table.take().c_str(), stdout);
    return {};
  });
}

void say(const Invocation& invocation, const std::string& deed, const QuarantineWish& wish, const QuarantineDone& done) {
  if (invocation.json) {
    json out = json::parse(done.outcome.json());
    if (wish.allow) out["allowed"] = done.senders;
    std::fputs(dump_line(out).c_str(), stdout);
    return;
  }
  fmt::print("{}{} {}\n", wish.dry_run ? "would be: " : "", count_text(done.outcome.changed, "message"), find_deed(deed)->done);
  if (!wish.allow) return;
  for (const auto& sender : done.senders) {
    fmt::print("{}{}: lists, greylisting and quarantine let this sender pass; what a filter refuses it still refuses\n",
               wish.dry_run ? "would be allowed: " : "allowed: ", base::printable(sender));
  }
}

// The account that webd runs as owns the list.
void run(Invocation& invocation, const std::string& deed, const QuarantineWish& wish) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const std::string folder = config::web_folder(gateway.config().paths);
    if (wish.allow) {
      if (auto made = base::make_folders(folder); !made) return made;
    }
    QuarantineDone done;
    const auto status = [&] {
      const AsOwnerOf owner(wish.allow ? folder : "/");
      return run_quarantine(gateway, deed, wish, user(), done);
    }();
    if (status || done.outcome.changed > 0) say(invocation, deed, wish, done);
    return status ? done.outcome.rest() : status;
  });
}

CLI::App* add_deed(CLI::App& quarantine, Invocation& invocation, const char* deed, const char* help, const std::shared_ptr<QuarantineWish>& wish) {
  auto* command = quarantine.add_subcommand(deed, help);
  command->add_option("ID", wish->ids, "queue ids");
  command->add_option("--reason", wish->reason, "all with this in their reason")->check(something());
  command->add_flag("--all", wish->all, "all that is in quarantine");
  command->add_flag("--dry-run", wish->dry_run, "only say how many it would be");
  command->callback([&invocation, wish, deed] { run(invocation, deed, *wish); });
  return command;
}

}  // namespace

void add_quarantine_commands(CLI::App& app, Invocation& invocation) {
  auto* quarantine = app.add_subcommand("quarantine", "mail that filters have had held: list, release, delete")->require_subcommand(1);
  const auto reason = std::make_shared<std::string>();
  auto* list = quarantine->add_subcommand("list", "how much there is, by reason; with --reason the messages");
  list->add_option("--reason", *reason, "only messages with this in their reason")->check(something());
  list->callback([&invocation, reason] { run_list(invocation, *reason); });
  const auto released = std::make_shared<QuarantineWish>(), deleted = std::make_shared<QuarantineWish>();
  auto* release = add_deed(*quarantine, invocation, "release", "let messages go on to their recipients", released);
  release->add_flag("--allow", released->allow, "and put their senders on the allow list, so that they are not held again");
  auto* remove = add_deed(*quarantine, invocation, "delete", "throw messages away; nobody is told", deleted);
  remove->add_flag("--yes", deleted->yes, "yes, I mean it: needed with --reason and --all");
}

}  // namespace holdfast::gatewayctl
