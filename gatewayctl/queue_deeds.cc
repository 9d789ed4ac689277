#include "gatewayctl/queue_deeds.h"

#include <cstdio>
#include <iostream>
#include <iterator>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "common/admin/queue_run.h"
#include "common/admin/table.h"
#include "common/base/panic.h"
#include "common/base/text.h"
#include "gatewayctl/words.h"

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
  command.add_option("--destination", words->destination, "only mail for this destination")->check(something());
  command.add_option("--domain", words->domain, "only mail with a recipient in this domain")->check(something());
  command.add_option("--sender", words->sender, "only mail from this address; @DOMAIN, or <> for the null sender")->check(something());
  command.add_option("--recipient", words->recipient, "only mail to this address; @DOMAIN for a whole domain")->check(something());
  command.add_option("--older", words->older, "only mail that came longer ago than this: 2h, 1d")->check(something());
  command.add_option("--younger", words->younger, "only mail that came since: 30m")->check(something());
  command.add_option("--held-by", words->held_by, "only held mail with this in its reason, as in \"filter: \"")->check(something());
  command.add_flag("--unfiltered", words->unfiltered, "only mail that was taken without asking filters");
  command.add_option("--state", words->state, "only mail in this state")->check(CLI::IsMember(states));
}

void add_queue_deeds(CLI::App& queue, Invocation& invocation) {
  for (const Deed& deed : all_deeds()) add_deed(queue, invocation, deed);
}

namespace {

struct Postsuper {
  std::vector<std::string> ids[3];  // of -d, -h and -H
  std::vector<std::string> queues;
};

// An id may be "-": those on standard input. In a pipe that found nothing these are none.
std::vector<std::string> with_those_of_stdin(const std::vector<std::string>& ids) {
  std::vector<std::string> out;
  for (const auto& id : ids) {
    if (id != "-") {
      out.push_back(id);
      continue;
    }
    for (std::string line; std::getline(std::cin, line);) {
      if (const auto word = base::trim(line); !word.empty()) out.emplace_back(word);
    }
  }
  return out;
}

// ALL in capital letters is all the asking that Postfix does. From standard input it is no more than a wrong id.
void run_all(Invocation& invocation, const char* deed, const std::vector<std::string>& queues) {
  QueueWords words;
  words.yes = true;
  words.all = queues.empty();
  if (words.all) return run_deed(invocation, deed, words);
  for (const auto& queue : queues) {
    words.state = queue == "hold" ? "held" : queue;
    run_deed(invocation, deed, words);
  }
}

void run_postsuper(Invocation& invocation, const char* deed, const std::vector<std::string>& said, const std::vector<std::string>& queues) {
  if (said == std::vector<std::string>{"ALL"}) return run_all(invocation, deed, queues);
  QueueWords words;
  words.ids = with_those_of_stdin(said);
  if (words.ids.empty()) return;
  if (queues.empty()) return run_deed(invocation, deed, words);
  invocation.exit_code = report({base::Kind::kUsage, "a queue's name goes with ALL, not with ids"});
}

}  // namespace

void add_postsuper(CLI::App& app, Invocation& invocation) {
  auto* postsuper = app.add_subcommand("postsuper", "postsuper -d, -h and -H, for Postfix hands");
  struct Named {
    const char* option;
    const char* deed;
    const char* help;
  };
  static constexpr Named kNamed[] = {{"-d", "delete", "delete this message; -: those on standard input; ALL: all; may be given again"},
                                     {"-h", "hold", "hold this message"},
                                     {"-H", "release", "release this message; ALL: all held ones"}};
  postsuper->set_help_flag("--help", "this text");  // -h is taken, also in the group
  take_verbose(*postsuper);
  auto* some_of = postsuper->add_option_group("at least one of")->require_option(1, 0);
  some_of->set_help_flag();
  auto words = std::make_shared<Postsuper>();
  for (std::size_t i = 0; i < std::size(kNamed); ++i) some_of->add_option(kNamed[i].option, words->ids[i], kNamed[i].help)->allow_extra_args(false);
  postsuper->add_option("QUEUE", words->queues, "hold or deferred: ALL is all in it")->check(CLI::IsMember({"hold", "deferred"}));
  postsuper->callback([&invocation, words] {
    for (std::size_t i = 0; i < std::size(kNamed); ++i) run_postsuper(invocation, kNamed[i].deed, words->ids[i], words->queues);
  });
}

}  // namespace holdfast::gatewayctl
