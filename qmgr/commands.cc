#include "qmgr/commands.h"

#include <memory>
#include <utility>

#include <fmt/format.h>
#include <sysexits.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "qmgr/outcome_effect.h"

namespace holdfast::qmgr {
namespace {

using mail::QueueId;
using storage::MessageState;

constexpr std::size_t kPage = 500;

std::optional<QueueVerb> verb_of(std::string_view command) {
  if (command == "queue.retry") return QueueVerb::kRetry;
  if (command == "queue.hold") return QueueVerb::kHold;
  if (command == "queue.release") return QueueVerb::kRelease;
  if (command == "queue.delete") return QueueVerb::kDelete;
  return std::nullopt;
}

std::string_view to_text(QueueVerb verb) {
  switch (verb) {
    case QueueVerb::kRetry: return "retry";
    case QueueVerb::kHold: return "hold";
    case QueueVerb::kRelease: return "release";
    case QueueVerb::kDelete: return "delete";
  }
  return "retry";
}

base::Status take_option(const std::string& option, const std::string& value, storage::QueueFilter& filter) {
  if (option == "--destination") filter.destination = value;
  else if (option == "--domain") filter.domain = value;
  else if (option == "--sender") filter.sender = value;
  else if (option == "--recipient") filter.recipient = value;
  else if (option == "--state") {
    filter.state = storage::parse_message_state(value);
    if (!filter.state) return base::fail(base::Kind::kUsage, "no such state: " + value);
  } else {
    return base::fail(base::Kind::kUsage, "no such option: " + option);
  }
  if (value.empty()) return base::fail(base::Kind::kUsage, option + " needs a value");
  return {};
}

bool applies(QueueVerb verb, MessageState state) {
  switch (verb) {
    case QueueVerb::kRetry: return state == MessageState::kDeferred;
    case QueueVerb::kHold: return state != MessageState::kHeld;
    case QueueVerb::kRelease: return state == MessageState::kHeld;
    case QueueVerb::kDelete: return true;
  }
  return false;
}

}  // namespace

base::Result<QueueCommand> parse_queue_command(const ipc::Control& control) {
  const auto verb = verb_of(control.command);
  if (!verb) return base::fail(base::Kind::kUsage, "no such command: " + control.command);
  QueueCommand out{.verb = *verb, .ids = {}, .filter = {}, .dry_run = false, .user = control.user};
  bool chosen = false;
  const auto& words = control.words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--dry-run") {
      out.dry_run = true;
    } else if (words[i] == "--all") {
      chosen = true;
    } else if (words[i].starts_with("--")) {
      if (i + 1 == words.size()) return base::fail(base::Kind::kUsage, words[i] + " needs a value");
      if (auto done = take_option(words[i], words[i + 1], out.filter); !done) return std::unexpected(done.error());
      chosen = true;
      ++i;
    } else {
      const auto id = QueueId::parse(words[i]);
      if (!id) return base::fail(base::Kind::kUsage, "not a queue id: " + base::printable(words[i]));
      out.ids.push_back(*id);
    }
  }
  if (chosen && !out.ids.empty()) return base::fail(base::Kind::kUsage, "either ids or a filter, not both");
  if (!chosen && out.ids.empty()) return base::fail(base::Kind::kUsage, "nothing is chosen: give ids, a filter, or --all");
  return out;
}

base::Result<bool> change_message(storage::QueueIndex& index, storage::WriteTxn& txn, QueueId id, QueueVerb verb,
                                  const std::string& user, std::int64_t now_ms) {
  auto row = index.message(txn, id);
  if (!row || !applies(verb, row->state)) return false;
  base::Status done{};
  if (verb == QueueVerb::kDelete) {
    done = index.remove(txn, id);
  } else if (verb == QueueVerb::kHold) {
    row->state = MessageState::kHeld;
    row->reason = user.empty() ? "held by the admin" : "held by " + user;
    done = index.update(txn, id, *row);
  } else {
    auto recipients = index.recipients(txn, id);
    reopen(*row, recipients, now_ms);
    for (std::uint32_t i = 0; done && i < recipients.size(); ++i) done = index.put_recipient(txn, id, i, recipients[i]);
    if (done) done = index.update(txn, id, *row);
  }
  if (!done) return std::unexpected(done.error());
  return true;
}

struct Commands::Run {
  QueueCommand command;
  Reply reply;
  std::string cursor;
  std::uint64_t changed = 0;
  std::vector<QueueId> missing;
};

Commands::Commands(storage::QueueIndex& index, storage::BatchWriter& writer, Hooks hooks)
    : index_(index), writer_(writer), hooks_(std::move(hooks)), read_(index.env()) {}

void Commands::run(const ipc::Control& control, Reply reply) {
  auto command = parse_queue_command(control);
  if (!command) {
    reply({.exit = base::exit_code(command.error().kind), .json = {}, .text = command.error().text});
    return;
  }
  const auto run = std::make_shared<Run>(Run{.command = std::move(*command), .reply = std::move(reply), .cursor = {}, .changed = 0, .missing = {}});
  if (run->command.ids.empty()) {
    next_page(run);
    return;
  }
  {
    const storage::ReadTxn::View view(read_);
    if (view) std::erase_if(run->command.ids, [&](QueueId id) {
      if (index_.message(read_, id)) return false;
      run->missing.push_back(id);
      return true;
    });
  }
  submit(run, run->command.ids);
}

void Commands::next_page(const std::shared_ptr<Run>& run) {
  std::vector<QueueId> ids;
  {
    const storage::ReadTxn::View view(read_);
    if (!view) {
      run->reply({.exit = EX_TEMPFAIL, .json = {}, .text = view.error().text});
      return;
    }
    auto page = index_.list(read_, run->command.filter, run->cursor, kPage);
    run->cursor = std::move(page.next);
    for (const auto& m : page.messages) {
      if (applies(run->command.verb, m.message.state)) ids.push_back(m.id);
    }
  }
  submit(run, std::move(ids));
}

void Commands::submit(const std::shared_ptr<Run>& run, std::vector<QueueId> ids) {
  const auto changed = std::make_shared<std::vector<QueueId>>();
  writer_.submit(
      [this, run, ids = std::move(ids), changed](storage::WriteTxn& txn) -> base::Status {
        changed->clear();
        for (const auto id : ids) {
          if (run->command.dry_run) {
            const auto row = index_.message(txn, id);
            if (row && applies(run->command.verb, row->state)) changed->push_back(id);
            continue;
          }
          const auto done = change_message(index_, txn, id, run->command.verb, run->command.user,
                                           base::to_millis(base::wall_now()));
          if (!done) return std::unexpected(done.error());
          if (*done) changed->push_back(id);
        }
        return {};
      },
      [this, run, changed] {
        run->changed += changed->size();
        if (run->command.verb == QueueVerb::kDelete && !run->command.dry_run) {
          for (const auto id : *changed) hooks_.removed(id);
        }
        if (run->cursor.empty()) {
          finish(run);
        } else {
          next_page(run);
        }
      },
      true);
}

void Commands::finish(const std::shared_ptr<Run>& run) {
  if (run->changed > 0 && !run->command.dry_run) {
    base::log().notice(fmt::format("queue {} by {}: {} messages", to_text(run->command.verb),
                                   run->command.user.empty() ? "an unknown user" : base::printable(run->command.user), run->changed));
    hooks_.changed();
  }
  ipc::ControlReply reply{.exit = 0, .json = fmt::format("{{\"changed\":{}}}", run->changed), .text = {}};
  if (!run->missing.empty()) {
    reply.exit = EX_NOUSER;
    reply.text = "not in the queue:";
    for (const auto id : run->missing) reply.text += " " + id.text();
  }
  run->reply(std::move(reply));
}

}  // namespace holdfast::qmgr
