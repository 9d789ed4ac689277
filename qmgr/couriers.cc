#include "qmgr/couriers.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/ipc/locks.h"

namespace holdfast::qmgr {
namespace {

constexpr base::Millis kLookAgain{200};
constexpr std::size_t kMostJobs = 500;              // a deliver
constexpr std::size_t kMostUnsent = 1 << 20;        // bytes: it does not read what we send

// deliver.N.lock
std::optional<std::uint32_t> worker_of(std::string_view file_name) {
  if (!file_name.starts_with("deliver.") || !file_name.ends_with(".lock")) return std::nullopt;
  const auto number = base::to_number(file_name.substr(8, file_name.size() - 13));
  if (!number || *number > 100'000) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

}  // namespace

Couriers::Couriers(net::Loop& loop, const std::string& run_folder, Hooks hooks)
    : loop_(loop), locks_(ipc::locks_folder(run_folder)), hooks_(std::move(hooks)), poll_(loop_, [this] { look(); }) {}

base::Status Couriers::start() {
  std::error_code ec;
  for (std::filesystem::directory_iterator it(locks_, ec), end; !ec && it != end; it.increment(ec)) {
    const auto worker = worker_of(it->path().filename().string());
    if (worker && lives(*worker)) couriers_[*worker].awaited = true;
  }
  if (ec) return base::fail_errno(locks_, ec.value());
  if (!complete()) base::log().notice("waiting for the hello of the delivers that run");
  if (anyone_silent()) poll_.start(kLookAgain);
  return {};
}

bool Couriers::lives(std::uint32_t worker) const {
  const std::string path = ipc::deliver_lock(locks_, worker);
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno != ENOENT;
  return ::flock(fd.get(), LOCK_SH | LOCK_NB) != 0;
}

bool Couriers::complete() const {
  return std::none_of(couriers_.begin(), couriers_.end(), [](const auto& c) { return c.second.awaited; });
}

bool Couriers::anyone_silent() const {
  return std::any_of(couriers_.begin(), couriers_.end(), [](const auto& entry) {
    const auto& c = entry.second;
    return c.channel == nullptr && (c.awaited || !c.jobs.empty());
  });
}

// Whoever is silent and has lost its lock is dead.
void Couriers::look() {
  bool died = false;
  for (auto& [worker, courier] : couriers_) {
    if (courier.channel != nullptr || (!courier.awaited && courier.jobs.empty()) || lives(worker)) continue;
    courier.awaited = false;
    died = true;
    const std::vector<mail::QueueId> lost(courier.jobs.begin(), courier.jobs.end());
    courier.jobs.clear();
    if (!lost.empty()) hooks_.lost(lost);
  }
  if (anyone_silent()) poll_.start(kLookAgain);
  if (died) hooks_.changed();
}

Couriers::Courier* Couriers::of(const ipc::Channel& channel) {
  const auto at = couriers_.find(channel.peer().worker);
  return at != couriers_.end() && at->second.channel == &channel ? &at->second : nullptr;
}

void Couriers::hello(ipc::Channel& channel, const ipc::DeliverHello& hello) {
  const auto worker = channel.peer().worker;
  auto& courier = couriers_[worker];
  courier.channel = &channel;
  courier.awaited = false;
  std::set<mail::QueueId> before = std::exchange(courier.jobs, {});
  for (const auto& job : hello.running) {
    const mail::QueueId id{job.queue_id};
    courier.jobs.insert(id);
    if (before.erase(id) == 0) hooks_.running(job);
  }
  for (const auto& outcome : hello.outcomes) {
    const mail::QueueId id{outcome.queue_id};
    if (before.erase(id) > 0) courier.jobs.insert(id);
    hooks_.outcome(worker, outcome);
  }
  // What it was given and knows nothing of: the frame was lost, or an earlier process had it.
  if (!before.empty()) hooks_.lost({before.begin(), before.end()});
  hooks_.changed();
}

bool Couriers::outcome(ipc::Channel& channel, const ipc::Outcome& outcome) {
  if (of(channel) == nullptr) return false;  // no hello yet
  hooks_.outcome(channel.peer().worker, outcome);
  return true;
}

void Couriers::gone(ipc::Channel& channel) {
  if (auto* courier = of(channel)) courier->channel = nullptr;
  if (anyone_silent() && !poll_.waiting()) poll_.start(kLookAgain);
}

std::optional<std::uint32_t> Couriers::least_busy() const {
  const std::pair<const std::uint32_t, Courier>* best = nullptr;
  for (const auto& entry : couriers_) {
    const auto& c = entry.second;
    if (c.channel == nullptr || c.jobs.size() >= kMostJobs || c.channel->unsent() > kMostUnsent) continue;
    if (best == nullptr || c.jobs.size() < best->second.jobs.size()) best = &entry;
  }
  if (best == nullptr) return std::nullopt;
  return best->first;
}

void Couriers::hand(std::uint32_t worker, const ipc::Job& job) {
  auto& courier = couriers_.at(worker);
  courier.jobs.insert(mail::QueueId{job.queue_id});
  courier.channel->send(job);
}

void Couriers::committed(std::uint32_t worker, mail::QueueId id, std::uint32_t attempt) {
  const auto at = couriers_.find(worker);
  if (at == couriers_.end() || at->second.channel == nullptr) return;  // it tells again in its next hello
  at->second.channel->send(ipc::OutcomeCommitted{.queue_id = id.value, .attempt = attempt});
}

bool Couriers::runs(std::uint32_t worker, mail::QueueId id) const {
  const auto at = couriers_.find(worker);
  return at != couriers_.end() && at->second.jobs.contains(id);
}

void Couriers::finished(std::uint32_t worker, mail::QueueId id) {
  const auto at = couriers_.find(worker);
  if (at != couriers_.end()) at->second.jobs.erase(id);
}

}  // namespace holdfast::qmgr
