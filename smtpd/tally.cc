#include "smtpd/tally.h"

#include <algorithm>

#include "common/base/siphash.h"

namespace holdfast::smtpd {

using daemon::seen;
using daemon::set;

// Zeroes are an empty one.
struct Tally::Slot {
  Key key;
  std::uint32_t present;
  std::uint32_t window;             // the number of the window that `current` counts
  std::uint32_t current, previous;
  std::uint32_t used;               // seconds of the clock
  std::uint32_t unused;
};

namespace {

constexpr std::size_t kBucket = 8;
constexpr std::size_t kBuckets = daemon::Board::kPartBytes / sizeof(Tally::Slot) / kBucket;
static_assert(sizeof(Tally::Slot) == 32);

std::uint32_t window_number(base::Millis window, base::Mono now) {
  return static_cast<std::uint32_t>(now.time_since_epoch() / window);
}

std::uint32_t seconds(base::Mono now) {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<base::Seconds>(now.time_since_epoch()).count());
}

}  // namespace

Tally::Tally(const daemon::Board& board, std::uint32_t worker, std::uint32_t workers)
    : board_(board), worker_(worker), workers_(std::max(workers, worker + 1)) {
  board_.clear(worker_);
}

Tally::Key Tally::key(char kind, const base::Network& network) const {
  return key(kind, {reinterpret_cast<const char*>(network.first.octets.data()), network.first.octets.size()});
}

Tally::Key Tally::key(char kind, std::string_view text) const {
  base::SipHash hash(board_.key());
  hash.update({&kind, 1});
  hash.update(text);
  return std::max<Key>(hash.finish(), 1);  // 0 is an empty slot
}

std::span<Tally::Slot> Tally::bucket(std::uint32_t worker, Key key) const {
  auto* first = reinterpret_cast<Slot*>(board_.part(worker).data());
  return {first + key % kBuckets * kBucket, kBucket};
}

const Tally::Slot* Tally::find(std::uint32_t worker, Key key) const {
  for (Slot& slot : bucket(worker, key)) {
    if (seen(slot.key) == key) return &slot;
  }
  return nullptr;
}

// Our own slot for the key: the one it has, an empty one, or that of the oldest of whom nobody is here.
Tally::Slot* Tally::claim(Key key, base::Mono now) const {
  const auto slots = bucket(worker_, key);
  Slot* best = nullptr;
  for (Slot& slot : slots) {
    if (slot.key == key) {
      set(slot.used, seconds(now));
      return &slot;
    }
    if (slot.present == 0 && (best == nullptr || slot.used < best->used)) best = &slot;
  }
  if (best == nullptr) return nullptr;
  set(best->key, Key{0});
  set(best->window, 0U);
  set(best->current, 0U);
  set(best->previous, 0U);
  set(best->used, seconds(now));
  set(best->key, key);
  return best;
}

Tally::Slot* Tally::enter(Key key, base::Mono now) {
  Slot* slot = claim(key, now);
  if (slot != nullptr) daemon::add(slot->present, 1U);
  return slot;
}

void Tally::leave(Slot* slot) { set(slot->present, slot->present - 1); }

std::uint64_t Tally::present(Key key) const {
  std::uint64_t sum = 0;
  for (std::uint32_t worker = 0; worker < workers_; ++worker) {
    if (const Slot* slot = find(worker, key)) sum += seen(const_cast<Slot*>(slot)->present);
  }
  return sum;
}

void Tally::count(Key key, base::Millis window, base::Mono now) {
  Slot* slot = claim(key, now);
  if (slot == nullptr) return;
  const auto number = window_number(window, now);
  if (slot->window != number) {
    set(slot->previous, slot->window + 1 == number ? slot->current : 0U);
    set(slot->current, 0U);
    set(slot->window, number);
  }
  daemon::add(slot->current, 1U);
}

std::uint64_t Tally::within(Key key, base::Millis window, base::Mono now) const {
  const auto number = window_number(window, now);
  std::uint64_t current = 0, previous = 0;
  for (std::uint32_t worker = 0; worker < workers_; ++worker) {
    auto* slot = const_cast<Slot*>(find(worker, key));
    if (slot == nullptr) continue;
    const auto its = seen(slot->window);
    if (its == number) {
      current += seen(slot->current);
      previous += seen(slot->previous);
    } else if (its + 1 == number) {
      previous += seen(slot->current);
    }
  }
  const auto size = std::chrono::duration_cast<std::chrono::microseconds>(window);
  const auto left = size - now.time_since_epoch() % size;
  return current + previous * static_cast<std::uint64_t>(left.count()) / static_cast<std::uint64_t>(size.count());
}

}  // namespace holdfast::smtpd
