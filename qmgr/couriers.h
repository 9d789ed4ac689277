// The deliver processes: who lives, who runs which job. A restarted qmgr hands out jobs only after the hello
// or the death of every deliver that lived (design.md section 2): a deliver holds the lock of its file in
// the run folder as long as it lives, and says in its hello what it runs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/ipc/channel.h"
#include "common/mail/queue_id.h"
#include "common/net/loop.h"

namespace holdfast::qmgr {

class Couriers {
 public:
  struct Hooks {
    std::function<void(std::uint32_t worker, const ipc::Outcome&)> outcome;
    std::function<void(const ipc::RunningJob&)> running;           // of a hello: not known to us before
    std::function<void(const std::vector<mail::QueueId>&)> lost;   // nobody runs these any more
    std::function<void()> changed;                                 // there may be somebody to hand a job to
  };
  Couriers(net::Loop& loop, const std::string& run_folder, Hooks hooks);

  // An error when the run folder cannot be read: then nobody knows who lives.
  base::Status start();
  // No deliver that lived before us is still unheard of.
  bool complete() const;

  void hello(ipc::Channel& channel, const ipc::DeliverHello& hello);
  bool outcome(ipc::Channel& channel, const ipc::Outcome& outcome);
  void gone(ipc::Channel& channel);

  // The one with the fewest jobs; nothing when none can take another.
  std::optional<std::uint32_t> least_busy() const;
  void hand(std::uint32_t worker, const ipc::Job& job);
  // The outcome is on disk: deliver may forget it. Told to whoever is that worker now.
  void committed(std::uint32_t worker, mail::QueueId id, std::uint32_t attempt);
  // An outcome of a job that another deliver runs now is an old one.
  bool runs(std::uint32_t worker, mail::QueueId id) const;
  void finished(std::uint32_t worker, mail::QueueId id);

 private:
  struct Courier {
    ipc::Channel* channel = nullptr;
    bool awaited = false;              // lives, but has not said hello to this qmgr
    std::set<mail::QueueId> jobs;
  };
  Courier* of(const ipc::Channel& channel);
  // True too when that cannot be told (no descriptors): what may be under way is not handed out again.
  bool lives(std::uint32_t worker) const;
  void look();
  bool anyone_silent() const;

  net::Loop& loop_;
  const std::string locks_;
  const Hooks hooks_;
  net::Timer poll_;
  std::map<std::uint32_t, Courier> couriers_;
};

}  // namespace holdfast::qmgr
