#include "qmgr/spool_care.h"

#include <utility>

#include "common/base/announce.h"
#include "common/base/log.h"

namespace holdfast::qmgr {
namespace {

constexpr base::Millis kEvery{1000};
constexpr base::Seconds kCalm{10};  // above the reserve for so long: a disk at the brink makes no stream of events

storage::Reserve reserve_of(const config::Config& config) {
  return {.percent = config.reserve.percent, .bytes = config.reserve.bytes};
}

}  // namespace

SpoolCare::SpoolCare(net::Loop& loop, storage::QueueIndex& index, config::ConfigPtr config)
    : loop_(loop),
      space_(config->paths.spool),
      ballast_(config->paths.spool),
      room_(index, config),
      timer_(loop, [this] { look(); }) {
  space_.set_reserve(reserve_of(*config));
}

void SpoolCare::start() {
  look();
  timer_.every(kEvery);
}

void SpoolCare::configure(config::ConfigPtr config) {
  space_.set_reserve(reserve_of(*config));
  room_.configure(std::move(config));
}

void SpoolCare::look() {
  const auto now = loop_.now();
  note_space(space_.accepts(now), now);
  room_.tick(now);
  if (!failing_) ballast_.look(now, space_.reserve());
}

void SpoolCare::note_space(bool accepting, base::Mono now) {
  if (!accepting) refused_at_ = now;
  const bool refusing = !accepting || (refusing_ && now - refused_at_ < kCalm);
  if (refusing == refusing_) return;
  refusing_ = refusing;
  const std::string free = std::to_string(space_.space().free_bytes),
                    inodes = std::to_string(space_.space().free_inodes);
  if (refusing) {
    base::announce(base::Level::kWarning, "spool_reserve_reached", {{"free_bytes", free}, {"free_inodes", inodes}});
  } else {
    base::announce(base::Level::kNotice, "spool_reserve_free", {{"free_bytes", free}, {"free_inodes", inodes}});
  }
}

void SpoolCare::health(const std::optional<base::Error>& error) {
  failing_ = error.has_value();
  if (!error) {
    base::announce(base::Level::kNotice, "index_works", {});
    return;
  }
  base::announce(base::Level::kError, "index_fails", {{"reason", error->text}});
  if (error->kind == base::Kind::kNoSpace && ballast_.release(loop_.now())) {
    base::log().notice("the ballast is given up, for the queue to drain");
  }
}

}  // namespace holdfast::qmgr
