// Greylisting as a worker does it: reads of the database are direct (a microsecond), what changes is written by a thread of its
// own, in batches. The first mail that asks for it opens the database. Nothing that is our own fault refuses mail: while the
// database cannot be opened or written, or too much waits to be, everybody passes, and a warning says so.
//
// Belongs to the loop's thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/base/time.h"
#include "common/config/config.h"
#include "common/mail/reply.h"
#include "common/policy/lists.h"
#include "common/storage/batch_writer.h"
#include "common/storage/greylist.h"

namespace holdfast::smtpd {

class Greylisting {
 public:
  explicit Greylisting(const config::Config& config);
  // Tries once to write what is left.
  ~Greylisting();
  void reload(const config::Config& config);

  // What the client is told: nothing, it passes.
  std::optional<mail::Reply> judge(const policy::Visit& visit, base::Mono now, base::Wall wall);

 private:
  bool ready(base::Mono now);
  void note(const std::string& problem);
  std::optional<storage::GreyJudgement> look(const std::string& triplet, const std::string& network, const base::Network& client, std::uint32_t now_s);
  void write(std::string triplet, std::string network, const storage::GreyJudgement& judged, std::uint32_t now_s);

  const std::string state_folder_;
  storage::GreyRules rules_;
  std::unique_ptr<storage::Greylist> list_;
  std::unique_ptr<storage::ReadTxn> txn_;
  std::atomic<bool> failing_{false};  // commits do; set by the writer's thread
  std::unique_ptr<storage::BatchWriter> writer_;
  base::Mono next_try_{};
  bool noted_ = false;
};

}  // namespace holdfast::smtpd
