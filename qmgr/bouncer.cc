#include "qmgr/bouncer.h"

#include <utility>

#include <fmt/format.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/mail/events.h"

namespace holdfast::qmgr {
namespace {

using mail::QueueId;

constexpr std::size_t kAtOnce = 20;        // each may have to read its original whole
constexpr base::Millis kLater{5'000};

}  // namespace

Bouncer::Bouncer(net::Loop& loop, storage::QueueIndex& index, storage::BatchWriter& writer, ReportWriter& reports,
                 config::ConfigPtr config, Hooks hooks)
    : index_(index),
      writer_(writer),
      reports_(reports),
      config_(std::move(config)),
      hooks_(std::move(hooks)),
      read_(index.env()),
      again_(loop, [this] { look(); }) {}

void Bouncer::look() {
  if (working_ || stopping_ || again_.waiting()) return;
  std::vector<QueueId> ids;
  {
    const storage::ReadTxn::View view(read_);
    if (!view) return;  // the next commit brings us back
    index_.each_owed(read_, {}, [&](QueueId id) {
      ids.push_back(id);
      return ids.size() < kAtOnce;
    });
  }
  if (!ids.empty()) pay(std::move(ids));
}

void Bouncer::pay(std::vector<QueueId> ids) {
  working_ = true;
  const auto done = std::make_shared<Paid>();
  writer_.submit(
      [this, ids = std::move(ids), config = config_, done](storage::WriteTxn& txn) -> base::Status {
        done->clear();
        for (const auto id : ids) {
          auto& told = done->emplace_back();
          if (auto paid = reports_.pay(txn, id, *config, base::to_millis(base::wall_now()), told); !paid) return paid;
          if (told.postponed) break;  // the others would fare no better
        }
        return {};
      },
      [this, done] { paid(*done); });
}

void Bouncer::paid(const Paid& paid) {
  working_ = false;
  const bool postponed = !paid.empty() && paid.back().postponed;
  if (postponed && !postponed_) base::log().error("reports to senders have to wait: " + paid.back().trouble);
  if (!postponed && postponed_) base::log().notice("reports to senders can be written again");
  postponed_ = postponed;
  for (const auto& told : paid) committed(told);
  if (postponed) again_.start(kLater);
  else look();
}

void Bouncer::committed(const Told& told) {
  const bool delay = told.kind == mail::ReportKind::kDelayed;
  const std::string id = told.original.text();
  if (told.postponed) return;
  if (!told.trouble.empty()) base::log().warning(fmt::format("{}: {}", id, base::printable(told.trouble)));
  if (told.report) {
    ++(delay ? counts_.delays : counts_.written);
    base::log().write(mail::events::bounce_queued(told.original, told.report->id,
                                                  delay ? "sender delay notification" : "sender non-delivery notification"));
    hooks_.queued(*told.report);
  } else if (!told.suppressed.empty()) {
    ++counts_.suppressed;
    base::log().write(fmt::format("{}: sender not notified: {}", id, told.suppressed));
  }
  if (told.removed) base::log().write(mail::events::removed(told.original));
  if (told.held) {
    base::log().write(fmt::format("{}: held: {}", id, base::printable(told.reason)));
    base::log().write(mail::events::event("held", {{"queue_id", id}, {"reason", told.reason}}));
  }
  if (told.frozen) {
    base::log().write(mail::events::frozen(told.original, told.reason));
    base::log().write(mail::events::event("frozen", {{"queue_id", id}, {"reason", told.reason}}));
  }
}

}  // namespace holdfast::qmgr
