// A memory that all smtpd workers share, made by master and handed to each as a descriptor: what they count of
// clients together (decision 11), and numbers that master shows. Each worker writes its own part and nothing
// else; everybody reads all of it, without locks. So a worker may die at any moment: master clears
// its part, and the one that takes its place begins with an empty one. Nothing in it is worth keeping over a restart of master.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/siphash.h"

namespace holdfast::daemon {

// What a worker shows of itself. Since its start, where it is not of now.
struct Gauges {
  std::uint32_t clients = 0;   // now
  std::uint32_t stressed = 0;  // now: 1 while time-outs are short
  std::uint32_t room = 0;      // now: so many more clients it takes; 0 too while it does not listen
  std::uint64_t refused_connections = 0, refused_messages = 0, refused_recipients = 0;  // by a limit
  std::uint64_t early_talkers = 0;  // those who pipelined where they may not counted with them
  std::uint64_t refused_kept = 0;   // recipients whose mail was not kept since too much is
};

class Board {
 public:
  static constexpr std::uint32_t kMaxWorkers = 256;
  static constexpr std::size_t kPartBytes = 512 << 10;  // a worker's; takes memory only where it was written

  // Master's: the memory, which cannot be made smaller or larger any more.
  static base::Result<base::UniqueFd> make();
  // The memory of that descriptor, which stays the caller's. Mapped are all gauges and the parts of `workers`.
  static base::Result<Board> open(int fd, std::uint32_t workers);
  // One of one's own: who was started without master.
  static Board alone(std::uint32_t workers);

  // A secret of this installation's run: nobody outside can choose what falls together.
  const base::HashKey& key() const;
  // Of a worker under kMaxWorkers; of one that is mapped. Only the worker itself may write there, by set() and
  // add(); at first all is zero, as it is after clear().
  Gauges& gauges(std::uint32_t worker) const;
  std::span<std::byte> part(std::uint32_t worker) const;
  // Of all workers under `workers` together, as they are now; `stressed` is how many are.
  Gauges sum(std::uint32_t workers) const;
  void clear(std::uint32_t worker) const;

 private:
  struct Unmap {
    std::size_t bytes = 0;
    void operator()(std::byte* memory) const;
  };
  Board(std::byte* memory, std::size_t bytes, std::uint32_t workers) : memory_(memory, Unmap{bytes}), workers_(workers) {}
  static base::Result<Board> map(int fd, int flags, std::uint32_t workers);

  std::unique_ptr<std::byte, Unmap> memory_;
  std::uint32_t workers_;
};

// Numbers on the board: one writes, others read at any time.
template <class T>
T seen(T& number) {
  return std::atomic_ref<T>(number).load(std::memory_order_relaxed);
}
template <class T>
void set(T& number, T value) {
  std::atomic_ref<T>(number).store(value, std::memory_order_relaxed);
}
template <class T>
void add(T& number, T value) {
  set(number, static_cast<T>(seen(number) + value));
}

}  // namespace holdfast::daemon
