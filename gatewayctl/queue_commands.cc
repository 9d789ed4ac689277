#include "gatewayctl/queue_commands.h"

#include <algorithm>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "gatewayctl/message_commands.h"
#include "gatewayctl/queue_filter.h"
#include "gatewayctl/text_json.h"

namespace holdfast::gatewayctl {
namespace {

constexpr std::size_t kPage = 500;

// Every message that the filter means, oldest first, a page a view, up to `limit` of them. An active one is
// deferred in the index: that state is judged here.
base::Status each_message(Gateway& gateway, const QueueWords& words, std::uint64_t limit, const Moment& moment,
                          const std::function<void(const storage::Listed&)>& visit, const std::function<void()>& page_end) {
  auto filter = words.filter();
  if (!filter) return std::unexpected(filter.error());
  std::string cursor;
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

void run_list(Invocation& invocation, const QueueWords& words, std::uint64_t limit) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const Moment moment = look(gateway);
    Table table = queue_table();
    std::uint64_t count = 0;
    const auto show = [&](const storage::Listed& item) {
      ++count;
      if (invocation.json) {
        std::fputs(queue_json(item, moment).c_str(), stdout);
      } else {
        add_to(table, item, moment);
      }
    };
    const auto page_end = [&] { std::fputs(table.take().c_str(), stdout); };
    if (auto done = each_message(gateway, words, limit, moment, show, page_end); !done) return done;
    page_end();
    if (!invocation.json && count == 0) std::puts("No message.");
    return {};
  });
}

void run_mailq(Invocation& invocation, bool as_json) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const Moment moment = look(gateway);
    std::uint64_t messages = 0, bytes = 0;
    const auto show = [&](const storage::Listed& item) {
      if (messages == 0 && !as_json) std::fputs(mailq_head().c_str(), stdout);
      ++messages;
      bytes += item.message.size;
      std::fputs((as_json ? queue_json(item, moment) : mailq_entry(item, moment)).c_str(), stdout);
    };
    if (auto done = each_message(gateway, {}, ~0ULL, moment, show, [] {}); !done) return done;
    if (!as_json) std::fputs(mailq_foot(messages, bytes).c_str(), stdout);
    return {};
  });
}

// What a command would do, and what it has done.
struct Deed {
  const char* name;         // "delete"
  const char* done;         // "deleted"
  const char* help;
  bool destroys;
};

constexpr Deed kDeeds[] = {
    {"retry", "to be tried at once", "try messages now instead of at their time", false},
    {"hold", "held", "keep messages back until they are released", false},
    {"release", "released", "let held messages go on", false},
    {"delete", "deleted", "throw messages away; nobody is told", true},
};

void say_changed(const Invocation& invocation, const Deed& deed, const QueueWords& words, const std::string& answer) {
  const json told = json::parse(answer, nullptr, false);
  const auto changed = told.is_object() ? told.value("changed", std::uint64_t{0}) : 0;
  if (invocation.json) {
    std::puts(answer.c_str());
  } else {
    fmt::print("{}{} {}\n", words.dry_run ? "would be: " : "", count_text(changed, "message"), deed.done);
  }
}

void run_deed(Invocation& invocation, const Deed& deed, const QueueWords& words) {
  const auto told = words.for_qmgr(deed.destroys);
  if (!told) {
    invocation.exit_code = report(told.error());
    return;
  }
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto answer = gateway.ask_all("qmgr", fmt::format("queue.{}", deed.name), *told, base::Seconds{300});
    if (!answer) return std::unexpected(answer.error());
    // Of several ids some may be there and some not: what was done is said in any case.
    if (!answer->json.empty()) say_changed(invocation, deed, words, answer->json);
    if (answer->exit != 0) return base::fail(kind_of(answer->exit), answer->text);
    return {};
  });
}

void add_filters(CLI::App& command, const std::shared_ptr<QueueWords>& words, const std::vector<std::string>& states) {
  command.add_option("--destination", words->destination, "only mail for this destination");
  command.add_option("--domain", words->domain, "only mail with a recipient in this domain");
  command.add_option("--sender", words->sender, "only mail from this address; @DOMAIN, or <> for the null sender");
  command.add_option("--recipient", words->recipient, "only mail to this address; @DOMAIN for a whole domain");
  command.add_option("--state", words->state, "only mail in this state")->check(CLI::IsMember(states));
}

void add_list(CLI::App& queue, Invocation& invocation) {
  auto* list = queue.add_subcommand("list", "what is kept, oldest first");
  auto words = std::make_shared<QueueWords>();
  auto limit = std::make_shared<std::uint64_t>(~0ULL);
  add_filters(*list, words, {"active", "deferred", "held", "frozen"});
  list->add_flag("--all", words->all, "everything, as without a filter");
  list->add_option("--limit", *limit, "at most so many");
  list->callback([&invocation, words, limit] { run_list(invocation, *words, *limit); });
}

void add_deed(CLI::App& queue, Invocation& invocation, const Deed& deed) {
  auto* command = queue.add_subcommand(deed.name, deed.help);
  auto words = std::make_shared<QueueWords>();
  command->add_option("ID", words->ids, "queue ids");
  add_filters(*command, words, {"deferred", "held", "frozen"});  // what is active is deferred to qmgr's commands
  command->add_flag("--all", words->all, "all messages");
  command->add_flag("--dry-run", words->dry_run, "only say how many it would be");
  command->add_flag("--yes", words->yes, "yes, I mean it");
  command->callback([&invocation, &deed, words] { run_deed(invocation, deed, *words); });
}

void add_postfix_names(CLI::App& app, Invocation& invocation) {
  auto* mailq = app.add_subcommand("mailq", "the queue in Postfix's layout");
  mailq->callback([&invocation] { run_mailq(invocation, invocation.json); });
  auto* postqueue = app.add_subcommand("postqueue", "postqueue -p and -j, for Postfix hands");
  auto print = std::make_shared<bool>(false);
  auto as_json = std::make_shared<bool>(false);
  auto* p = postqueue->add_flag("-p", *print, "the queue in Postfix's layout");
  postqueue->add_flag("-j", *as_json, "the queue as JSON, a message a line")->excludes(p);
  postqueue->callback([&invocation, print, as_json] {
    if (*print || *as_json) return run_mailq(invocation, *as_json || invocation.json);
    invocation.exit_code = report({base::Kind::kUsage, "postqueue needs -p or -j"});
  });
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
    out.shut[name] = fmt::format("{} is {}{}{}", name, mail::to_text(state), row->reason.empty() ? "" : ": ", row->reason);
  }
  return out;
}

void add_queue_commands(CLI::App& app, Invocation& invocation) {
  auto* queue = app.add_subcommand("queue", "kept mail: list, show, cat, retry, hold, release, delete")->require_subcommand(1);
  add_list(*queue, invocation);
  add_message_commands(*queue, invocation);
  for (const Deed& deed : kDeeds) add_deed(*queue, invocation, deed);
  add_postfix_names(app, invocation);
}

}  // namespace holdfast::gatewayctl
