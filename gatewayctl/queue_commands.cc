#include "gatewayctl/queue_commands.h"

#include <cstdio>
#include <memory>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "gatewayctl/export_command.h"
#include "gatewayctl/import_command.h"
#include "gatewayctl/message_commands.h"
#include "gatewayctl/queue_deeds.h"
#include "common/admin/queue_shape.h"
#include "common/admin/queue_walk.h"
#include "gatewayctl/store_commands.h"
#include "gatewayctl/words.h"

namespace holdfast::gatewayctl {
namespace {

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

void run_shape(Invocation& invocation, const QueueWords& words, bool senders, std::size_t limit) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const Moment moment = look(gateway);
    Shape shape(senders ? Shape::By::kSender : Shape::By::kRecipient, moment.now_ms);
    const auto done = each_message(
        gateway, words, ~0ULL, moment, [&](const auto& item) { shape.add(item); }, [] {});
    if (!done) return done;
    std::fputs((invocation.json ? shape.json_lines(limit) : shape.text(limit)).c_str(), stdout);
    return {};
  });
}

void add_list(CLI::App& queue, Invocation& invocation) {
  auto* list = queue.add_subcommand("list", "what is kept, oldest first");
  auto words = std::make_shared<QueueWords>();
  auto limit = std::make_shared<std::uint64_t>(~0ULL);
  add_filters(*list, words, {"active", "deferred", "held", "frozen"});
  list->add_flag("--all", words->all, "everything, as without a filter");
  list->add_option("--limit", *limit, "at most so many")->check(counting());
  list->add_option("--after", words->after, "go on behind this message: the last one of the page before")->check(something());
  list->callback([&invocation, words, limit] { run_list(invocation, *words, *limit); });
}

void add_shape(CLI::App& queue, Invocation& invocation) {
  auto* shape = queue.add_subcommand("shape", "how many messages wait by domain, and for how long (Postfix's qshape)");
  auto words = std::make_shared<QueueWords>();
  auto senders = std::make_shared<bool>(false);
  auto limit = std::make_shared<std::size_t>(50);
  shape->add_flag("--senders", *senders, "by the domain of the sender, not of the recipients");
  shape->add_option("--limit", *limit, "at most so many domains, the greatest first")->check(counting())->capture_default_str();
  add_filters(*shape, words, {"active", "deferred", "held", "frozen"});
  shape->callback([&invocation, words, senders, limit] { run_shape(invocation, *words, *senders, *limit); });
}

void run_postqueue_deed(Invocation& invocation, bool all, const std::string& id) {
  QueueWords words;
  words.all = all;
  if (!all) words.ids = {id};
  run_deed(invocation, "retry", words);
}

void add_postfix_names(CLI::App& app, Invocation& invocation) {
  auto* mailq = app.add_subcommand("mailq", "the queue in Postfix's layout");
  take_verbose(*mailq);
  mailq->callback([&invocation] { run_mailq(invocation, invocation.json); });
  auto* postqueue = app.add_subcommand("postqueue", "postqueue -p, -j, -f and -i, for Postfix hands");
  struct Words {
    bool print = false, as_json = false, all = false;
    std::string id;
  };
  auto words = std::make_shared<Words>();
  take_verbose(*postqueue);
  auto* one_of = postqueue->add_option_group("one of")->require_option(1);
  one_of->add_flag("-p", words->print, "the queue in Postfix's layout");
  one_of->add_flag("-j", words->as_json, "the queue as JSON, a message a line");
  one_of->add_flag("-f", words->all, "try all messages now");
  one_of->add_option("-i", words->id, "try this message now");
  postqueue->callback([&invocation, words] {
    if (words->print || words->as_json) return run_mailq(invocation, words->as_json || invocation.json);
    run_postqueue_deed(invocation, words->all, words->id);
  });
  add_postsuper(app, invocation);
}

}  // namespace

void add_queue_commands(CLI::App& app, Invocation& invocation) {
  auto* queue = app.add_subcommand("queue", "kept mail: look at it, change what becomes of it")->require_subcommand(1);
  add_list(*queue, invocation);
  add_message_commands(*queue, invocation);
  add_store_commands(*queue, invocation);
  add_shape(*queue, invocation);
  add_queue_deeds(*queue, invocation);
  add_export(*queue, invocation);
  add_import(*queue, invocation);
  add_postfix_names(app, invocation);
}

}  // namespace holdfast::gatewayctl
