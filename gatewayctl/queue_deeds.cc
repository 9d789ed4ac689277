#include "gatewayctl/queue_deeds.h"

#include <cstdio>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "common/admin/queue_run.h"
#include "common/admin/table.h"
#include "common/base/panic.h"

namespace holdfast::gatewayctl {
namespace {

void say_changed(const Invocation& invocation, const Deed& deed, const QueueWords& words, const DeedOutcome& outcome) {
  if (invocation.json) {
    std::puts(outcome.json().c_str());
    return;
  }
  fmt::print("{}{} {}\n", words.dry_run ? "would be: " : "", count_text(outcome.changed, "message"), deed.done);
  // Named by their ids it is an error, and said as one.
  if (!outcome.named && outcome.null_sender > 0) {
    fmt::print("{} left alone: of the null sender, there is nobody to tell\n",
               count_text(outcome.null_sender, "message"));
  }
}

void add_deed(CLI::App& queue, Invocation& invocation, const Deed& deed) {
  auto* command = queue.add_subcommand(deed.name, deed.help);
  auto words = std::make_shared<QueueWords>();
  command->add_option("ID", words->ids, "queue ids");
  add_filters(*command, words, {"deferred", "held", "frozen"});  // what is active is deferred to qmgr's commands
  command->add_flag("--all", words->all, "all messages");
  command->add_flag("--dry-run", words->dry_run, "only say how many it would be");
  if (deed.destroys) {
    command->add_flag("--yes", words->yes, "yes, I mean it: needed with a filter and with --all");
  } else {
    command->add_flag("--yes", words->yes, "taken for the sake of habit");
  }
  const std::string name = deed.name;
  if (name == "extend") {
    auto* by = command->add_option("--by", words->by, "so much later than now planned: 12h, 2d");
    auto* until = command->add_option("--until", words->until, "2026-11-25T10:00, local time; with a Z behind it UTC");
    by->excludes(until);
  }
  if (name == "reroute") command->add_option("--to", words->to, "the destination")->required();
  command->callback([&invocation, name, words] { run_deed(invocation, name, *words); });
}

}  // namespace

void run_deed(Invocation& invocation, const std::string& name, const QueueWords& words) {
  const Deed* deed = find_deed(name);
  base::expect(deed != nullptr, "a deed that is none");
  // Before any daemon is asked: wrong words are the same whatever runs.
  if (const auto good = words_of(*deed, words); !good) {
    invocation.exit_code = report(good.error());
    return;
  }
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    DeedOutcome outcome;
    const auto done = admin::run_deed(gateway, *deed, words, outcome);
    // Of several messages some may be changed and some not: what was done is said in any case.
    if (done || outcome.changed > 0) say_changed(invocation, *deed, words, outcome);
    return done ? outcome.rest() : done;
  });
}

void add_filters(CLI::App& command, const std::shared_ptr<QueueWords>& words, const std::vector<std::string>& states) {
  command.add_option("--destination", words->destination, "only mail for this destination");
  command.add_option("--domain", words->domain, "only mail with a recipient in this domain");
  command.add_option("--sender", words->sender, "only mail from this address; @DOMAIN, or <> for the null sender");
  command.add_option("--recipient", words->recipient, "only mail to this address; @DOMAIN for a whole domain");
  command.add_option("--older", words->older, "only mail that came longer ago than this: 2h, 1d");
  command.add_option("--younger", words->younger, "only mail that came since: 30m");
  command.add_option("--held-by", words->held_by, "only held mail with this in its reason, as in \"filter: \"");
  command.add_flag("--unfiltered", words->unfiltered, "only mail that was taken without asking filters");
  command.add_option("--state", words->state, "only mail in this state")->check(CLI::IsMember(states));
}

void add_queue_deeds(CLI::App& queue, Invocation& invocation) {
  for (const Deed& deed : all_deeds()) add_deed(queue, invocation, deed);
}

// -d, -h, -H ID, or ALL in capital letters, which is all the asking that Postfix does.
void add_postsuper(CLI::App& app, Invocation& invocation) {
  auto* postsuper = app.add_subcommand("postsuper", "postsuper -d, -h and -H, for Postfix hands");
  struct Named {
    const char* option;
    const char* deed;
    const char* help;
  };
  postsuper->set_help_flag("--help", "this text");  // -h is taken, also in the group
  auto* one_of = postsuper->add_option_group("one of")->require_option(1);
  one_of->set_help_flag();
  static constexpr Named kNamed[] = {{"-d", "delete", "delete this message; ALL: all"},
                                     {"-h", "hold", "hold this message; ALL: all"},
                                     {"-H", "release", "release this message; ALL: all held ones"}};
  for (const auto& named : kNamed) {
    one_of->add_option_function<std::vector<std::string>>(
        named.option,
        [&invocation, deed = named.deed](const std::vector<std::string>& ids) {
          QueueWords words;
          if (ids.size() == 1 && ids.front() == "ALL") {
            words.all = words.yes = true;
          } else {
            words.ids = ids;
          }
          run_deed(invocation, deed, words);
        },
        named.help);
  }
}

}  // namespace holdfast::gatewayctl
