#include "qmgr/room.h"

#include <limits>
#include <utility>

#include "common/base/announce.h"

namespace holdfast::qmgr {
namespace {

constexpr std::size_t kMostUnsent = 64 << 10;
constexpr std::uint64_t kNoBound = std::numeric_limits<std::uint64_t>::max();

std::uint64_t rest(std::uint64_t bound, std::uint64_t used) {
  if (bound == 0) return kNoBound;
  return bound > used ? bound - used : 0;
}

bool bounds(const config::Quota& quota) { return quota.messages > 0 || quota.bytes > 0; }

ipc::RoomLeft left_of(const std::string& domain, const config::Quota& quota, const storage::Counter& used) {
  return {.domain = domain, .messages = rest(quota.messages, used.messages()), .bytes = rest(quota.bytes, used.bytes)};
}

}  // namespace

ipc::QueueRoom room_left(const storage::QueueIndex& index, const storage::Txn& txn, const config::Config& config) {
  ipc::QueueRoom out;
  if (txn.nearly_full()) {
    out.left.push_back({.domain = {}, .messages = 0, .bytes = 0});
  } else if (bounds(config.quota)) {
    out.left.push_back(left_of("", config.quota, index.counter(txn, "")));
  }
  for (const auto& [name, domain] : config.domains) {
    if (bounds(domain.quota)) out.left.push_back(left_of(name, domain.quota, index.domain_counter(txn, name)));
  }
  return out;
}

Room::Room(storage::QueueIndex& index, config::ConfigPtr config)
    : index_(index), config_(std::move(config)), read_(index.env()) {}

void Room::configure(config::ConfigPtr config) {
  config_ = std::move(config);
  look();
}

void Room::joined(ipc::Channel& smtpd) {
  look();
  smtpds_.insert(&smtpd);
  smtpd.send(told_);
}

void Room::look() {
  const storage::ReadTxn::View view(read_);
  if (!view) return;
  auto room = room_left(index_, read_, *config_);
  if (room.left == told_.left) return;
  told_ = std::move(room);
  behind_ = smtpds_;
  tell();
  note_full();
}

void Room::tell() {
  std::erase_if(behind_, [&](ipc::Channel* smtpd) {
    if (smtpd->unsent() > kMostUnsent) return false;
    smtpd->send(told_);
    return true;
  });
}

void Room::note_full() {
  full_now_.clear();
  for (const auto& left : told_.left) {
    if (left.messages == 0 || left.bytes == 0) full_now_.insert(left.domain.empty() ? "all" : left.domain);
  }
  for (const auto& name : full_now_) {
    if (!full_.try_emplace(name).second) continue;
    base::announce(base::Level::kWarning, "quota_reached", {{"domain", name}});
  }
}

void Room::tick(base::Mono now) {
  tell();
  for (auto& [name, last] : full_) {
    if (full_now_.contains(name) || last == base::Mono{}) last = now;
  }
  std::erase_if(full_, [&](const auto& entry) {
    if (now - entry.second < kCalm) return false;
    base::announce(base::Level::kNotice, "quota_free", {{"domain", entry.first}});
    return true;
  });
}

}  // namespace holdfast::qmgr
