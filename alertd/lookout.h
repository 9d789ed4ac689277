// What is a state and no event: how long and how old the queue is, what is about to expire, whom mail would be kept
// for, the disk, certificates. Read from the index and the directory by short views, at a cost that does not grow with the
// queue: counters, and the oldest messages of each destination.
//
// Who meets damage in the index ends. So that alertd can still tell of it, a mark (reading_mark.h) is set in state/alerts
// while the index is read: one that is there at the start makes us leave the index alone for kAfraid.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alertd/alert.h"
#include "common/base/error.h"
#include "common/config/config.h"
#include "common/storage/directory.h"
#include "common/storage/index_reader.h"
#include "common/storage/queue_index.h"
#include "common/storage/reading_mark.h"

namespace holdfast::alertd {

// One state: raised, or clear.
struct Sight {
  std::string kind, subject;
  bool raised = false;
  std::string cause;
  std::int64_t since_ms = 0;  // 0: now

  bool operator==(const Sight&) const = default;
};

// --- The rules; pure ---
Sight sight_of_length(std::uint64_t messages, std::uint64_t bound, bool was_raised);
Sight sight_of_age(std::optional<std::int64_t> oldest_ms, std::int64_t bound_ms, std::int64_t now_ms);
// Of the first message to expire: 0 is none.
Sight sight_of_expiry(const std::string& destination, std::int64_t arrival_ms, std::int64_t expires_ms, std::int64_t now_ms);
Sight sight_of_coverage(const std::string& domain, const std::optional<storage::DomainRow>& row, std::int64_t now_ms);
Sight sight_of_certificate(const std::string& file, std::int64_t end_ms, std::int64_t bound_ms, std::int64_t now_ms);

class Lookout {
 public:
  static constexpr base::Seconds kAfraid{600};

  explicit Lookout(config::ConfigPtr config);
  ~Lookout();
  void configure(config::ConfigPtr config);

  // `was_long`: whether the queue was too long when last looked at.
  std::vector<Sight> look(std::int64_t now_ms, bool was_long);
  // Of a destination, or ("") of the whole queue; nothing: not known.
  std::optional<Held> held(const std::string& destination, std::int64_t now_ms);

 private:
  using Questions = std::function<void(const storage::QueueIndex&, const storage::Txn&)>;
  struct First {                     // of the oldest, the one that expires first
    std::int64_t arrival_ms = 0, expires_ms = 0;
  };
  bool read_index(std::int64_t now_ms, const Questions& questions);
  static First first_to_expire(const storage::QueueIndex& index, const storage::Txn& txn, const std::string& destination,
                               std::int64_t now_ms);
  void look_at_queue(std::int64_t now_ms, bool was_long, std::vector<Sight>& out);
  void look_at_domains(std::int64_t now_ms, std::vector<Sight>& out);
  void look_at_disk(std::vector<Sight>& out) const;
  void look_at_certificates(std::int64_t now_ms, std::vector<Sight>& out);

  config::ConfigPtr config_;
  const storage::ReadingMark mark_;
  std::int64_t afraid_until_ms_ = 0;
  std::unique_ptr<storage::DirectoryReader> directory_;
  storage::IndexReader index_;
  std::int64_t certificates_seen_ms_ = 0;
};

}  // namespace holdfast::alertd
