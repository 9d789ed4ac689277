// Threads that answer what would keep the loop from its work: few, each lane for itself, with a bounded queue.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace holdfast::webd {

class Desk {
 public:
  Desk(std::size_t threads, std::size_t most_waiting);
  // What waits is dropped; what is under way is waited for.
  ~Desk();
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  // False: too much waits already, and nothing was taken. From any thread.
  bool take(std::function<void()> work);

 private:
  void run();

  const std::size_t most_waiting_;
  std::mutex door_;
  std::condition_variable bell_;
  std::deque<std::function<void()>> waiting_;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace holdfast::webd
