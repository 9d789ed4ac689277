#include "qmgr/commands.h"

#include <utility>

#include <fmt/format.h>
#include <sysexits.h>

#include "common/base/log.h"
#include "common/base/text.h"

namespace holdfast::qmgr {
namespace {

using mail::QueueId;

constexpr std::size_t kPage = 500;

std::string id_list(const std::vector<QueueId>& ids) {
  std::string out;
  for (const auto id : ids) out += " " + id.text();
  return out;
}

ipc::ControlReply refusal(const base::Error& error) {
  return {.exit = base::exit_code(error.kind), .json = {}, .text = error.text};
}

}  // namespace

struct Commands::Run {
  QueueCommand command;
  Reply reply;
  ChangeRules rules{};
  std::string cursor{};
  std::uint64_t changed = 0, busy = 0, null_sender = 0;
  std::vector<QueueId> missing{};

  bool named() const { return !command.ids.empty() || !missing.empty(); }
};

// What one operation has come to; made anew each time it runs.
struct Commands::Page {
  std::vector<QueueId> ids;  // that it is about
  std::vector<QueueId> changed{};
  std::uint64_t null_sender = 0;
};

Commands::Commands(storage::QueueIndex& index, storage::BatchWriter& writer, Hooks hooks)
    : index_(index), writer_(writer), hooks_(std::move(hooks)), read_(index.env()) {}

void Commands::run(const ipc::Control& control, Reply reply) {
  auto command = parse_queue_command(control);
  if (!command) return reply(refusal(command.error()));
  const auto run = std::make_shared<Run>(Run{.command = std::move(*command), .reply = std::move(reply)});
  if (auto good = prepare(*run); !good) return run->reply(refusal(good.error()));
  if (!run->named()) return next_page(run);
  leave_out_missing(*run);
  submit(run, run->command.ids);
}

base::Status Commands::prepare(Run& run) const {
  run.rules.now_ms = base::to_millis(base::wall_now());
  const auto& command = run.command;
  if (command.until_ms > 0 && command.until_ms <= run.rules.now_ms) {
    return base::fail(base::Kind::kUsage, "that time has passed already");
  }
  if (command.verb != QueueVerb::kReroute) return {};
  const auto lifetime = hooks_.lifetime(command.to);
  if (!lifetime) return base::fail(base::Kind::kNotFound, "there is no destination " + base::printable(command.to));
  run.rules.lifetime_ms = base::Millis(*lifetime).count();
  return {};
}

void Commands::leave_out_missing(Run& run) {
  const storage::ReadTxn::View view(read_);
  if (!view) return;
  std::erase_if(run.command.ids, [&](QueueId id) {
    if (index_.message(read_, id)) return false;
    run.missing.push_back(id);
    return true;
  });
}

void Commands::next_page(const std::shared_ptr<Run>& run) {
  std::vector<QueueId> ids;
  {
    const storage::ReadTxn::View view(read_);
    if (!view) {  // what was done before stays done, and is said
      auto reply = refusal(view.error());
      reply.json = fmt::format("{{\"changed\":{}}}", run->changed);
      return run->reply(std::move(reply));
    }
    auto page = index_.list(read_, run->command.filter, run->cursor, kPage);
    run->cursor = std::move(page.next);
    for (const auto& m : page.messages) ids.push_back(m.id);
  }
  submit(run, std::move(ids));
}

// Leaves out what is being handed over just now; the rest is not until page_done().
void Commands::claim(Run& run, std::vector<QueueId>& ids) {
  if (run.command.dry_run || !needs_claim(run.command.verb)) return;
  std::erase_if(ids, [&](QueueId id) {
    if (hooks_.claim(id)) return false;
    ++run.busy;
    return true;
  });
}

void Commands::submit(const std::shared_ptr<Run>& run, std::vector<QueueId> ids) {
  claim(*run, ids);
  const auto page = std::make_shared<Page>(Page{.ids = std::move(ids)});
  writer_.submit(
      [this, run, page](storage::WriteTxn& txn) -> base::Status {
        page->changed.clear();
        page->null_sender = 0;
        for (const auto id : page->ids) {
          const auto done = change_message(index_, txn, id, run->command, run->rules);
          if (!done) return std::unexpected(done.error());
          if (*done == Changed::kYes) page->changed.push_back(id);
          if (*done == Changed::kNullSender) ++page->null_sender;
        }
        return {};
      },
      [this, run, page] { page_done(run, *page); }, true);
}

void Commands::page_done(const std::shared_ptr<Run>& run, const Page& page) {
  run->changed += page.changed.size();
  run->null_sender += page.null_sender;
  if (!run->command.dry_run) {
    if (needs_claim(run->command.verb)) {
      for (const auto id : page.ids) hooks_.unclaim(id);
    }
    if (run->command.verb == QueueVerb::kDelete) {
      for (const auto id : page.changed) hooks_.removed(id);
    }
  }
  if (run->cursor.empty()) {
    finish(run);
  } else {
    next_page(run);
  }
}

void Commands::finish(const std::shared_ptr<Run>& run) {
  const auto& command = run->command;
  if (run->changed > 0 && !command.dry_run) {
    base::log().notice(fmt::format("queue {} by {}: {} messages", to_text(command.verb),
                                   command.user.empty() ? "an unknown user" : base::printable(command.user),
                                   run->changed));
  }
  if (!command.dry_run) hooks_.changed();  // what was claimed may have been passed over
  ipc::ControlReply reply{.exit = 0, .json = fmt::format("{{\"changed\":{}", run->changed), .text = {}};
  const auto besides = [&](std::uint64_t n, std::string_view name, int exit, std::string_view text) {
    if (n == 0) return;
    if (!name.empty()) reply.json += fmt::format(",\"{}\":{}", name, n);
    if (exit == 0) return;
    reply.exit = exit;
    reply.text += fmt::format("{}{}", reply.text.empty() ? "" : "\n", text);
  };
  besides(run->null_sender, "null_sender", run->named() ? EX_DATAERR : 0,
          fmt::format("{} left alone: of the null sender, there is nobody to tell; queue delete removes such mail",
                      run->null_sender));
  besides(run->busy, "busy", EX_TEMPFAIL,
          fmt::format("{} left alone: being handed over just now; say it again in a moment, or hold them first",
                      run->busy));
  besides(run->missing.size(), "", EX_NOUSER, "not in the queue:" + id_list(run->missing));
  reply.json += "}";
  run->reply(std::move(reply));
}

}  // namespace holdfast::qmgr
